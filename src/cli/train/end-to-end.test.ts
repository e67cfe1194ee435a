/** Real training by the real trainer, small enough for a test. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCommand } from "../../../test/cli.js";
import { temporaryFolder } from "../../../test/support/tiny-checkpoint.js";
import { InterruptedError } from "../terminal.js";
import { readMetrics } from "./metrics.js";

const folder = temporaryFolder();
const gpt2 = { model_type: "gpt2", n_layer: 1, n_head: 2, n_embd: 16 };
const config = {
  model: { kind: "new", config: gpt2 },
  tokenizer: { kind: "characters" },
  data: { kind: "sort", length: 3 },
  batch: { tokens: 64, contextLength: 8 },
  optimizer: { learningRate: 0.01 },
  schedule: { steps: 12 },
  regularisation: { dropout: 0.1, weightAverage: 0.5 },
  evaluation: { everySteps: 6 },
  samples: { everySteps: 6, prompts: "021", maxTokens: 3, temperature: 0 },
  checkpoints: { everySteps: 4 },
  hardware: { threads: 1 },
};
const path = join(folder, "config.json");
writeFileSync(path, JSON.stringify(config));

const weights = (run: string) => readFileSync(join(run, "model", "model.safetensors"));
const measured = (run: string) => readMetrics(run).map((each) => ({ ...each, seconds: 0, tokensPerSecond: 0 }));

describe("hitherto train, in earnest", () => {
  test("learns, stops, goes on to the same weights, and its model generates", async () => {
    const [whole, parts] = [join(folder, "whole"), join(folder, "parts")];
    const result = await runCommand(["train", path, "--set", `run.folder=${whole}`, "--json"]);
    expect(result).toMatchObject({ code: 0, stderr: "" });
    const { loss, heldOutLoss, steps } = JSON.parse(result.stdout);
    expect(steps).toBe(12);
    expect(loss).toBeLessThan(1.2);
    expect(heldOutLoss).toBeLessThan(1.2);
    const kinds = readMetrics(whole).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "step")).toHaveLength(12);
    expect(kinds.filter((kind) => kind === "evaluation")).toHaveLength(2);
    expect(kinds.filter((kind) => kind === "sample")).toHaveLength(2);

    const stopped = await runCommand(["train", path, "--set", `run.folder=${parts}`], {
      onStart: (terminal) => {
        const write = terminal.errors.write.bind(terminal.errors);
        terminal.errors.write = ((text: string) => {
          if (text.startsWith("held out after step 6")) terminal.stop(new InterruptedError());
          return write(text);
        }) as typeof terminal.errors.write;
      },
    });
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toMatch(/stopped after step [67]; hitherto train --resume /);
    expect((await runCommand(["train", "--resume", parts])).code).toBe(0);
    expect(weights(parts)).toEqual(weights(whole));
    expect(measured(parts)).toEqual(measured(whole));

    const { code, stdout } = await runCommand([
      "generate",
      "021",
      "--model",
      join(whole, "model"),
      "--max-tokens",
      "3",
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^[012]{0,3}$/);
  });

  test("a model that was trained is trained further", async () => {
    const run = join(folder, "further");
    writeFileSync(join(folder, "digits.txt"), "012012012012\n".repeat(50));
    const flags = ["--data", join(folder, "digits.txt"), "--steps", "4", "--context-length", "8", "--out", run];
    const result = await runCommand(["finetune", join(folder, "whole", "model"), ...flags, "--json"]);
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(weights(run)).not.toEqual(weights(join(folder, "whole")));
    expect(weights(run).length).toBe(weights(join(folder, "whole")).length);
  });

  test("by LoRA, what learns is written as an adapter, and merged into the model", async () => {
    const run = join(folder, "lora");
    const flags = ["--data", join(folder, "digits.txt"), "--steps", "3", "--context-length", "8", "--out", run];
    const result = await runCommand(["finetune", join(folder, "whole", "model"), ...flags, "--lora", "2", "--json"]);
    expect(result).toMatchObject({ code: 0, stderr: "" });
    expect(weights(run)).not.toEqual(weights(join(folder, "whole")));
    expect(readFileSync(join(run, "adapter", "adapter_config.json"), "utf8")).toContain('"r": 2');
  });
});
