/** A sequence as a value: step it, take it back, and let two branches of it grow from one past. */
import { loadModel } from "hitherto";

const model = await loadModel(process.argv[2] ?? "stories");

try {
  const session = await model.session("The cat sat", { alternatives: 3 });
  const step = await session.step();
  console.log("chosen:", JSON.stringify(step.text), "from", step.alternatives);

  // What follows depends on the tokens alone: taken back and asked again, the session says the same again.
  const first = await session.take(5);
  session.rewind(5);
  const again = await session.take(5);
  console.log("the same again:", first.join() === again.join());

  // Branches share the memory of their past, and nothing else.
  session.rewind(6);
  const branch = session.fork();
  await session.append(" on the mat");
  await branch.append(" in the rain");
  await session.take(8);
  await branch.take(8);
  console.log(session.text);
  console.log(branch.text);
  branch.dispose();
  session.dispose();
} finally {
  await model.dispose();
}
