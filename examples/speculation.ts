/** The same text sooner: several proposers, what each gains, and one of your own. */
import { type GenerationOptions, loadModel, type Proposer } from "hitherto";

const model = await loadModel(process.argv[2] ?? "stories");
const prompt = "Once upon a time, there was a cat. The cat sat on the mat. The cat";

async function complete(speculation?: GenerationOptions["speculation"]): Promise<string> {
  let text = "";
  for await (const step of model.generate(prompt, { maxTokens: 60, speculation })) {
    text += step.text;
    if (step.speculation === undefined) continue;
    const { proposer, passes, plainSteps, proposed, accepted } = step.speculation;
    console.log(`${proposer}: ${accepted} of ${proposed} accepted in ${passes} passes, ${plainSteps} plain steps`);
  }
  return text;
}

/** What followed the last token when it came before. */
const own: Proposer = {
  name: "own",
  propose: ({ ids, count }) => {
    const before = ids.lastIndexOf(ids[ids.length - 1]!, ids.length - 2);
    return { tokens: before < 0 ? [] : ids.slice(before + 1, before + 1 + count) };
  },
};

try {
  const plain = await complete();
  const others = [
    await complete({ lookup: true, adaptive: false }),
    await complete({ earlyExit: 1, adaptive: false }),
    await complete({ draft: model, adaptive: false }),
    await complete({ proposer: own, tokens: 4 }),
  ];
  console.log(
    "all the same:",
    others.every((text) => text === plain),
  );
} finally {
  await model.dispose();
}
