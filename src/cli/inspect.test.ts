import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { runCommand } from "../../test/cli.js";
import { temporaryFolder, tinyModel } from "../../test/support/tiny-checkpoint.js";
import { createBackend, loadModel } from "../load-model.node.js";

const folder = tinyModel({ begins: true });

describe("hitherto inspect", () => {
  test("--json describes the checkpoint", async () => {
    const result = await runCommand(["inspect", folder, "--json"]);
    expect(result).toMatchObject({ code: 0, stderr: "" });
    const described = JSON.parse(result.stdout);
    expect(described).toMatchObject({
      format: "hugging-face",
      architecture: "LlamaForCausalLM",
      family: "llama",
      kind: "decoder-only",
      sizes: {
        vocabSize: 67,
        contextLength: 96,
        hiddenSize: 24,
        layerCount: 2,
        headCount: 4,
        headDim: 6,
        tiedHead: true,
      },
      tokenizer: { source: "tokenizer.json", vocabSize: 67, chatTemplate: false },
    });
    // Embedding, final norm, and per layer four attention and three feed-forward matrices and two norms.
    expect(described.parameters).toBe(67 * 24 + 24 + 2 * (4 * 24 * 24 + 3 * 24 * 44 + 2 * 24));
    expect(described.bytes).toBe(4 * described.parameters);
    expect(described.storage).toEqual([{ type: "f32", tensors: 20, bytes: described.bytes }]);
    expect(described.tokenizer.special).toContainEqual({ role: "begin", id: 1, token: "<s>" });
    expect(described).not.toHaveProperty("tensors");
  });

  test("--tensors lists them", async () => {
    const { tensors } = JSON.parse((await runCommand(["inspect", folder, "--json", "--tensors"])).stdout);
    expect(tensors).toHaveLength(20);
    const embedding = { name: "model.embed_tokens.weight", shape: [67, 24], storage: "f32", bytes: 4 * 67 * 24 };
    expect(tensors).toContainEqual(embedding);
    const { stdout } = await runCommand(["inspect", folder, "--tensors"]);
    expect(stdout).toMatch(/^model\.embed_tokens\.weight +\[67, 24\] +f32 +6432$/m);
  });

  test.each(["llama-mha-tied", "t5-relu-tied", "gpt2"])(
    "--results lists what model.inspect takes: %s",
    async (fixture) => {
      const path = tinyModel({ fixture });
      const { results } = JSON.parse((await runCommand(["inspect", path, "--json", "--results"])).stdout);
      await using model = await loadModel(path, { backend: "reference" });
      expect(results).toEqual(model.resultNames());
      expect(results.length).toBeGreaterThan(10);
    },
  );

  test("without --json, a summary for a reader", async () => {
    const { stdout } = await runCommand(["inspect", folder]);
    expect(stdout).toContain("family          llama (decoder-only)\n");
    expect(stdout).toContain("context length  96 tokens\n");
  });

  test("says which instruction set is used unless another is asked for", async () => {
    const backend = await createBackend();
    await backend.dispose();
    const { machine } = JSON.parse((await runCommand(["inspect", folder, "--json"])).stdout);
    expect([machine.backend, machine.instructionSets.at(-1)]).toEqual([backend.name, backend.instructionSet]);
    const { stdout } = await runCommand(["inspect", folder]);
    expect(stdout).toContain(`\ncomputes with   ${backend.name}, ${backend.instructionSet} (present: `);
  });

  test("an architecture that cannot run is described all the same", async () => {
    const path = tinyModel();
    const config = JSON.parse(readFileSync(join(path, "config.json"), "utf8"));
    const other = { ...config, architectures: ["MambaForCausalLM"], model_type: "mamba" };
    writeFileSync(join(path, "config.json"), JSON.stringify(other));
    const described = JSON.parse((await runCommand(["inspect", path, "--json"])).stdout);
    expect(described).toMatchObject({ architecture: "MambaForCausalLM", storage: [{ type: "f32", tensors: 20 }] });
    expect(described.problem).toContain("MambaForCausalLM");
    expect(described).not.toHaveProperty("family");
  });

  test("a file of tensors without a configuration is described by its tensors", async () => {
    const path = join(temporaryFolder(), "weights.safetensors");
    copyFileSync(join(folder, "model.safetensors"), path);
    const described = JSON.parse((await runCommand(["inspect", path, "--json", "--tensors"])).stdout);
    expect(described).toMatchObject({ path, format: "hugging-face", storage: [{ type: "f32", tensors: 20 }] });
    expect(described.problem).toContain("config.json");
    expect(described.tensors).toHaveLength(20);
  });
});
