/** Streams a completion, with the probability of every token, until a time limit or Ctrl-C. */
import { loadModel } from "hitherto";

const model = await loadModel(process.argv[2] ?? "stories");
const interrupt = new AbortController();
process.once("SIGINT", () => interrupt.abort());

try {
  const options = {
    maxTokens: 40,
    sampling: { temperature: 0.8, topP: 0.95, seed: 1 },
    stopping: { maxTime: 30_000 },
    signal: interrupt.signal,
  };
  let surprise = 0;
  for await (const step of model.generate("Once upon a time", options)) {
    process.stdout.write(step.text);
    surprise -= step.logprob;
    if (step.stop !== undefined) console.log(`\nended by ${step.stop.kind}, ${surprise.toFixed(1)} nats`);
  }
} finally {
  await model.dispose();
}
