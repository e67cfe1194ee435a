/** Probabilities of a whole text in one pass: how surprised the model is by each of its tokens. */
import { evaluate, loadModel } from "hitherto";

const model = await loadModel(process.argv[2] ?? "stories");
const text = "One day, a little girl found a needle in her room.";

try {
  const ids = model.tokenizer.encode(text);
  const { vocabSize } = model.config;
  const logits = await model.logits(ids); // [tokens × vocabSize]; row i predicts token i + 1
  for (let i = 1; i < ids.length; i++) {
    const row = logits.subarray((i - 1) * vocabSize, i * vocabSize);
    const largest = row.reduce((most, logit) => Math.max(most, logit));
    const logSumExp = largest + Math.log(row.reduce((sum, logit) => sum + Math.exp(logit - largest), 0));
    const bits = (logSumExp - row[ids[i]!]!) / Math.LN2;
    console.log(`${bits.toFixed(2).padStart(6)} bits  ${model.tokenizer.tokenText(ids[i]!)}`);
  }
  const { perplexity, bitsPerByte } = await evaluate(model, text);
  console.log(`perplexity ${perplexity.toFixed(2)}, ${bitsPerByte?.toFixed(3)} bits per byte`);
} finally {
  await model.dispose();
}
