/** Sessions as values: edited, saved and restored, begun with what others ran, and going on when the context is full. */
import { loadModel, type TokenScore } from "hitherto";

const model = await loadModel(process.argv[2] ?? "stories", { contextLength: 64 });

try {
  // Bytes that another process may go on from, without running the prompt again.
  const session = await model.session("Once upon a time", { sampling: { temperature: 1, seed: 3 } });
  await session.take(10);
  const restored = await model.restore(await session.save());
  const [first, second] = [await session.take(10), await restored.take(10)];
  console.log("restored, the same again:", first.join() === second.join());

  // Another token in the middle: what stands before it stays valid, what follows is run again.
  session.edit(2, session.tokenIds[1]!);
  console.log("edited:", JSON.stringify((await session.step()).text));

  // What a prompt's tokens are worth, from the pass that runs them.
  const scores: TokenScore[] = [];
  const scored = await model.session("The cat sat on the mat", { alternatives: 1 });
  await scored.step({ onScore: (score) => scores.push(score) });
  console.log("the prompt:", scores.map(({ logprob }) => logprob.toFixed(1)).join(" "));

  // The context is 64 tokens; this goes on beyond it.
  let count = 0;
  for await (const _ of model.generate("Once upon a time", {
    maxTokens: 100,
    contextShift: { keep: 4 },
    stopping: { endIds: false },
  })) {
    count++;
  }
  console.log("without end:", count, "tokens");

  // A consumer may put its own token in place of one that it was given.
  const generation = model.generate("Once upon a time", { maxTokens: 5 });
  await generation.next();
  await generation.next({ token: session.tokenIds[3]! });
  await generation.return();

  const { hits, tokensSaved } = model.prefixes!;
  console.log(`shared: ${hits} sessions began with what others had run, ${tokensSaved} tokens`);
  for (const each of [session, restored, scored]) each.dispose();
} finally {
  await model.dispose();
}
