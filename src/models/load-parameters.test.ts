/** Loading parameters: several at once, told as they come, and stopped in between. */
import { expect, test } from "vitest";
import type { Backend, MatrixSource, Resource } from "../backends/backend.js";
import { memoryTensor } from "../formats/index.js";
import { Graph } from "../graph/graph.js";
import { type LoadProgress, loadParameters } from "./load-parameters.js";

const count = 12;

/** A backend that loads three matrices at once, each in four reads. */
function slowBackend() {
  const state = { loading: 0, most: 0, held: 0 };
  const resource = (): Resource => ({ bytes: 0, dispose: () => state.held-- });
  const backend = {
    matrixStorage: new Set(["f32"]),
    concurrentLoads: 3,
    async loadMatrix({ shape: [rows, columns], readRows }: MatrixSource) {
      state.most = Math.max(state.most, ++state.loading);
      try {
        for (let row = 0; row < rows; row++) {
          await readRows(row, 1, new Uint8Array(columns * 4));
          await new Promise((resolve) => setImmediate(resolve));
        }
      } finally {
        state.loading--;
      }
      state.held++;
      return resource();
    },
  } as unknown as Backend;
  return { backend, state };
}

function checkpoint() {
  const graph = new Graph();
  const names = Array.from({ length: count }, (_, i) => `m${i}`);
  const parameters = names.map((name) => graph.parameter(name, [4, 8]));
  const tensors = new Map(names.map((name) => [name, memoryTensor(name, [4, 8], "f32", new Float32Array(32))]));
  const recipes = new Map(names.map((name) => [name, { tensor: name }]));
  return { parameters, recipes, checkpoint: { path: "test", tensors } };
}

test("as many matrices are on their way as the backend likes, and progress ends at the whole", async () => {
  const { backend, state } = slowBackend();
  const { parameters, recipes, checkpoint: from } = checkpoint();
  const resources = new Map<string, Resource>();
  const told: LoadProgress[] = [];
  const onProgress = (progress: LoadProgress) => told.push(progress);
  await loadParameters(backend, from, recipes, parameters, resources, () => {}, { onProgress });
  expect(state.most).toBe(3);
  expect([...resources.keys()].sort()).toEqual([...recipes.keys()].sort());
  const loaded = told.map(({ loadedBytes }) => loadedBytes);
  expect(loaded).toEqual(loaded.toSorted((a, b) => a - b));
  expect(told.at(-1)).toEqual({ loadedBytes: count * 128, totalBytes: count * 128 });
});

test("a signal stops it with its reason; when it says so, nothing is on its way any more", async () => {
  const { backend, state } = slowBackend();
  const { parameters, recipes, checkpoint: from } = checkpoint();
  const resources = new Map<string, Resource>();
  const controller = new AbortController();
  const reason = new Error("enough");
  const onProgress = ({ loadedBytes }: LoadProgress) => {
    if (loadedBytes >= 5 * 128) controller.abort(reason);
  };
  const options = { signal: controller.signal, onProgress };
  await expect(loadParameters(backend, from, recipes, parameters, resources, () => {}, options)).rejects.toBe(reason);
  expect(state.loading).toBe(0);
  expect(state.held).toBe(resources.size);
  expect(resources.size).toBeLessThan(count);
});
