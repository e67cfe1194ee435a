import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { readHuggingFaceFolder } from "../formats/index.node.js";
import { modelFrom } from "../load-model.js";
import { createBackend, loadModel } from "../load-model.node.js";
import { withName } from "./lazy-tensors.js";
import { openHuggingFace } from "./open-hugging-face.js";

const folder = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "test", "parity", "fixtures", "gemma3");
const prefixes = [
  (name: string) => `language_model.${name}`,
  (name: string) => name.replace(/^model\./, "model.language_model."),
];

test.each(prefixes)("the text model of Gemma 3 with images is Gemma 3: %s", async (prefixed) => {
  const ids = [3, 1, 4, 1, 5, 9, 2, 6];
  await using alone = await loadModel(folder);
  const expected = await alone.logits(ids);

  await using read = await readHuggingFaceFolder(folder);
  const { architectures: _, ...text_config } = read.config;
  const config = {
    architectures: ["Gemma3ForConditionalGeneration"],
    model_type: "gemma3",
    text_config,
    vision_config: {},
  };
  const tensors = [...read.tensors.values()].map((tensor) => withName(tensor, prefixed(tensor.name)));
  tensors.push(withName(tensors[0]!, "vision_tower.vision_model.embeddings.patch_embedding.weight"));
  const nested = { ...read, config, tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])) };
  const backend = await createBackend();
  await using model = await modelFrom(await openHuggingFace(nested), backend, {}, () => backend.dispose());
  expect(model.config.family).toBe("gemma3");
  expect(await model.logits(ids)).toEqual(expected);
});
