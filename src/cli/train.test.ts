/** The command around the trainer: configurations, folders of runs, what is kept and shown, and stopping. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCommand } from "../../test/cli.js";
import { temporaryFolder } from "../../test/support/tiny-checkpoint.js";
import { InterruptedError } from "./terminal.js";
import type { StepEvent, TrainingEvent } from "./train/events.js";
import { readMetrics } from "./train/metrics.js";
import type { StartTraining, Telling } from "./train/run-training.js";

const folder = temporaryFolder();
writeFileSync(join(folder, "text.txt"), "one\ntwo\n");
const config = {
  model: { kind: "new", config: { model_type: "gpt2" } },
  tokenizer: { kind: "bytes" },
  data: { kind: "text", files: "text.txt" },
  batch: { contextLength: 16 },
  schedule: { kind: "constant", steps: 6 },
};
const path = join(folder, "fake.json");
writeFileSync(path, JSON.stringify(config));

/** Trains nothing: the loss of a step follows from its number. Checkpoints every second step and when it is stopped. */
const fakeTraining: StartTraining = async (settled, { resume, signal }) => {
  const { name, folder } = settled.run;
  const checkpoint = join(folder, "checkpoints", "step");
  const fromStep = resume ? Number(readFileSync(checkpoint, "utf8")) : 0;
  const { steps } = settled.schedule;
  const save = (step: number) => {
    mkdirSync(join(folder, "checkpoints"), { recursive: true });
    writeFileSync(checkpoint, String(step));
  };
  async function* events({ secondsBefore }: Telling): AsyncGenerator<TrainingEvent> {
    for (let step = fromStep + 1; step <= steps; step++) {
      const seconds = secondsBefore + step - fromStep;
      const speed = { tokensPerSecond: 100, secondsLeft: steps - step, gradientNorm: 1, learningRate: 1e-3 };
      yield { kind: "step", step, loss: 4 - step / 10, tokens: step, seconds, ...speed } satisfies StepEvent;
      if (step % 3 === 0) yield { kind: "evaluation", step, loss: 5 - step / 10, bitsPerByte: 2 };
      if (step % 2 === 0 || signal.aborted) save(step);
      if (signal.aborted) return;
    }
  }
  return {
    facts: { name, folder, steps, fromStep, summary: ["a fake"] },
    events,
    writeModel: async () => join(folder, "model"),
    [Symbol.asyncDispose]: async () => {},
  };
};

const run = (words: readonly string[], options: Parameters<typeof runCommand>[1] = {}) =>
  runCommand(words, { startTraining: fakeTraining, ...options });
const out = () => join(temporaryFolder(), "run");
const stepsIn = (folder: string) => readMetrics(folder).flatMap(({ kind, step }) => (kind === "step" ? [step] : []));

describe("hitherto train", () => {
  test("keeps the configuration and what was measured, and tells what came of it", async () => {
    const folder = out();
    const { code, stdout, stderr } = await run(["train", path, "--set", `run.folder=${folder}`]);
    expect(code).toBe(0);
    expect(stderr).toContain("a fake\nstep 1/6  loss 3.9000");
    expect(stdout).toBe(
      `steps     6 in 6 s\nloss      3.4000 nats per token in the last step\nheld out  4.4000 nats per token, 2.0000 bits per byte\nmodel     ${folder}/model\n`,
    );
    expect(stepsIn(folder)).toEqual([1, 2, 3, 4, 5, 6]);
    const kept = JSON.parse(readFileSync(join(folder, "config.json"), "utf8"));
    expect(kept).toMatchObject({ run: { name: "fake", seed: 1 }, optimizer: { kind: "adamw", beta2: 0.99 } });
  });

  test("--json prints one object and shows nothing", async () => {
    const folder = out();
    const { stdout, stderr } = await run(["train", path, "--set", `run.folder=${folder}`, "--json"]);
    expect(stderr).toBe("");
    const measured = { loss: 3.4, heldOutLoss: 4.4, bestHeldOutLoss: 4.4, bitsPerByte: 2, seconds: 6 };
    expect(JSON.parse(stdout)).toEqual({ model: join(folder, "model"), steps: 6, ...measured });
  });

  test("Ctrl-C stops after the step; --resume goes on, and no step is recorded twice", async () => {
    const folder = out();
    const stopped = await run(["train", path, "--set", `run.folder=${folder}`], {
      startTraining: async (config, options) => {
        const training = await fakeTraining(config, options);
        async function* events(telling: Telling) {
          for await (const event of training.events(telling)) {
            if (event.step === 3) stop();
            yield event;
          }
        }
        return { ...training, events };
      },
      onStart: (terminal) => {
        stop = () => terminal.stop(new InterruptedError());
      },
    });
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toContain("stopping after this step, and saving");
    expect(stopped.stderr).toContain(`stopped after step 3; hitherto train --resume ${folder} goes on\n`);
    expect(stepsIn(folder)).toEqual([1, 2, 3]);
    // As after a kill: the steps since the checkpoint are recorded, and come again.
    writeFileSync(join(folder, "checkpoints", "step"), "2");

    const resumed = await run(["train", "--resume", folder, "--set", "schedule.steps=5"]);
    expect(resumed.code).toBe(0);
    expect(resumed.stderr).toContain("resumed after step 2");
    expect(resumed.stdout).toContain("steps     5 in 5 s");
    expect(stepsIn(folder)).toEqual([1, 2, 3, 4, 5]);
    expect(JSON.parse(readFileSync(join(folder, "config.json"), "utf8")).schedule.steps).toBe(5);
  });
  let stop = () => {};

  test("a run that is there is replaced only when asked for", async () => {
    const folder = out();
    const words = ["train", path, "--set", `run.folder=${folder}`];
    await run(words);
    const refused = await run(words);
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/has a run already; go on with it by --resume /),
    });
    expect((await run([...words, "--set", "schedule.steps=2", "--force"])).code).toBe(0);
    expect(stepsIn(folder)).toEqual([1, 2]);
  });

  test("two processes do not train in one folder", async () => {
    const folder = out();
    mkdirSync(folder);
    const words = ["train", path, "--set", `run.folder=${folder}`];
    writeFileSync(join(folder, "process"), `${process.ppid}\n`);
    expect(await run(words)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/: process \d+ is training there; if that is another program, remove /),
    });
    // Left behind by a process that was killed: larger numbers than any process has.
    writeFileSync(join(folder, "process"), "999999999\n");
    expect((await run(words)).code).toBe(0);
    expect(existsSync(join(folder, "process"))).toBe(false);
  });

  test("--print-config prints it complete, without its data, and does nothing", async () => {
    const folder = out();
    const words = ["--set", `run.folder=${folder}`, "--set", 'data.files=["no-such.txt"]'];
    const { code, stdout } = await run(["train", path, ...words, "--print-config"]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      schedule: { kind: "constant", steps: 6, warmupSteps: 0 },
      run: { folder },
    });
    expect(existsSync(folder)).toBe(false);
  });

  test("--help documents every key", async () => {
    const { stdout } = await run(["train", "--help"]);
    for (const key of ["learningRate", "contextLength", "labelSmoothing", "heldOut", "everySteps", "precision"]) {
      expect(stdout).toMatch(new RegExp(`^ {2}${key}: `, "m"));
    }
  });

  test.each([
    [["train"], "missing CONFIG, or --resume DIR", 2],
    [["train", "a.json", "--resume", "b"], /^--resume DIR goes on with that run's own configuration/, 2],
    [["train", path, "--set", "optimizer.lr=1"], /fake\.json: optimizer\.lr: unknown key where kind is "adamw"/, 1],
    [["train", path, "--set", "batch.token=1"], /fake\.json: batch\.token: unknown key; did you mean "tokens"\?/, 1],
    [["train", path, "--set", "data.files=no.txt"], /^no\.txt: .*no\.txt does not exist/, 1],
    [["train", "--resume", folder], /expected the folder of a run, with config\.json/, 1],
  ])("%j is refused", async (words, message, code) => {
    const { stderr, ...rest } = await run(words);
    expect(rest).toEqual({ code, stdout: "" });
    expect(stderr.replace(/^hitherto: /, "")).toMatch(message);
  });

  test("what a checkpoint depends on cannot change when it is resumed", async () => {
    const folder = out();
    await run(["train", path, "--set", `run.folder=${folder}`]);
    const { stderr } = await run(["train", "--resume", folder, "--set", "batch.contextLength=8"]);
    expect(stderr).toMatch(/batch\.contextLength: cannot change in a run that is resumed; begin a new one\n$/);
  });
});
