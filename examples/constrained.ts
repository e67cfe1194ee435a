/** Output that a program can read: a model held to a schema, to an expression, and to a few choices. */
import { loadModel } from "hitherto";

const model = await loadModel(process.argv[2] ?? "stories");

async function complete(prompt: string, options: Parameters<typeof model.generate>[1]): Promise<string> {
  let text = "";
  for await (const step of model.generate(prompt, options)) text += step.text;
  return text;
}

try {
  const jsonSchema = {
    type: "object",
    properties: {
      animal: { enum: ["cat", "dog", "bird"] },
      name: { type: "string", minLength: 2, maxLength: 12 },
      tame: { type: "boolean" },
    },
    required: ["animal", "name", "tame"],
    additionalProperties: false,
  };
  const document = await complete("Tom had a cat.", { constraint: { jsonSchema, whitespace: "none" } });
  console.log("a document:", document, "with", Object.keys(JSON.parse(document)).length, "members");

  const sampling = { temperature: 1, seed: 1 };
  console.log("a date:", await complete("It was", { constraint: { regex: " 20\\d\\d-(0[1-9]|1[0-2])" }, sampling }));
  console.log("a choice:", await complete("The cat was very", { constraint: { choices: [" happy", " sad"] } }));

  // The state goes with the timeline: a session can be constrained for a while, and go back.
  const session = await model.session("They counted:");
  session.constrain(model.constraint({ regex: "( [1-9],){3}" }));
  while (!session.constraint!.isComplete) await session.step();
  session.constrain(undefined);
  await session.take(8);
  console.log(session.text);
  session.dispose();
} finally {
  await model.dispose();
}
