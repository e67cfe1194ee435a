/**
 * `node llama-cpp.mjs FILE PREFILL DECODE THREADS REPEAT`: prints what llama.cpp (node-llama-cpp) makes of a GGUF file,
 * as JSON: medians of prefill and decode, in tokens per second.
 */
import { getLlama, LlamaLogLevel } from "node-llama-cpp";

const [path, prefill, decode, threads, repeat] = process.argv
  .slice(2)
  .map((each, i) => (i === 0 ? each : Number(each)));
const llama = await getLlama({ gpu: false, maxThreads: threads, logLevel: LlamaLogLevel.error, build: "never" });
const started = performance.now();
const model = await llama.loadModel({ modelPath: path, gpuLayers: 0, ignoreMemorySafetyChecks: true });
const context = await model.createContext({
  contextSize: prefill + decode + 64,
  batchSize: prefill,
  threads: { ideal: threads, min: threads },
  ignoreMemorySafetyChecks: true,
});
const loadMs = performance.now() - started;
const sequence = context.getSequence();
const prompt = Array.from({ length: prefill }, (_, i) => 259 + ((i * 7919) % 200));

const prefills = [];
const decodes = [];
for (let run = 0; run <= repeat; run++) {
  await sequence.clearHistory();
  let start = performance.now();
  await sequence.evaluateWithoutGeneratingNewTokens(prompt);
  const prefillRate = (prefill * 1000) / (performance.now() - start);
  let count = -1;
  for await (const _ of sequence.evaluate([260], { temperature: 0, yieldEogToken: true })) {
    if (count < 0) start = performance.now();
    if (++count === decode) break;
  }
  const decodeRate = (decode * 1000) / (performance.now() - start);
  // The first run warms up.
  if (run > 0) {
    prefills.push(prefillRate);
    decodes.push(decodeRate);
  }
}
const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
console.log(
  JSON.stringify({ loadMs, prefillTokensPerSecond: median(prefills), decodeTokensPerSecond: median(decodes) }),
);
await llama.dispose();
process.exit(0);
