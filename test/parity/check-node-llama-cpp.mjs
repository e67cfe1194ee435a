#!/usr/bin/env node
/**
 * What llama.cpp makes of a GGUF file, by the npm package `node-llama-cpp`, which this package does not depend on:
 *
 *     mkdir /tmp/peer && cd /tmp/peer && npm init -y && npm install --ignore-scripts node-llama-cpp@3.22
 *     NODE_LLAMA_CPP=/tmp/peer node test/parity/check-node-llama-cpp.mjs FILE [--steps 200] [--prompt TEXT] [--expect FILE] [--ids 1,2,3]
 *
 * Opens the file, continues the prompt greedily (after the beginning token), and prints the text and its ids as JSON.
 * With `--ids`, continues those ids instead. With `--expect`, exits with 1 unless the text is that file's.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    steps: { type: "string", default: "200" },
    prompt: { type: "string", default: "" },
    ids: { type: "string" },
    expect: { type: "string" },
  },
});
const peer = createRequire(join(resolve(process.env.NODE_LLAMA_CPP ?? "."), "package.json"));
const { getLlama, LlamaLogLevel } = await import(pathToFileURL(peer.resolve("node-llama-cpp")).href);

const llama = await getLlama({ gpu: false, build: "never", logLevel: LlamaLogLevel.warn });
const model = await llama.loadModel({ modelPath: resolve(positionals[0]) });
const context = await model.createContext({ contextSize: Math.min(512, model.trainContextSize), threads: 1 });
const sequence = context.getSequence();
const begin = model.tokens.bos === null || !model.tokens.shouldPrependBosToken ? [] : [model.tokens.bos];
const prompt = values.ids?.split(",").map(Number) ?? [...begin, ...model.tokenize(values.prompt)];
const ids = [];
for await (const token of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
  ids.push(token);
  if (ids.length >= Number(values.steps)) break;
}
const text = model.detokenize(ids, false, prompt);
console.log(JSON.stringify({ file: positionals[0], prompt, ids, text }));
const expected = values.expect === undefined ? undefined : readFileSync(values.expect, "utf8");
const same = expected === undefined || text.trim() === expected.trim();
if (!same) console.error("the text differs from what was expected");
await llama.dispose();
process.exit(same ? 0 : 1);
