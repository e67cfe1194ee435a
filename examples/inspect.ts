/** Looking inside: attention, or any other result of the model by its name, from the same program that generates. */
import { loadModel } from "hitherto";

const model = await loadModel(process.argv[2] ?? "stories");

try {
  const ids = model.tokenizer.encode("Once upon a time");
  const names = model.resultNames();
  console.log(`${names.length} results, such as ${names.slice(0, 5).join(", ")}`);

  const name = "blocks.0.attention.probabilities";
  const { shape, values } = (await model.inspect(ids, [name])).get(name)!;
  const [tokens, width] = shape; // width is heads × keys
  console.log(`${name}: ${tokens} tokens × ${width}; the first head looks at`);
  for (let token = 0; token < tokens; token++) {
    const row = Array.from(values.subarray(token * width, token * width + tokens));
    console.log(row.map((probability) => probability.toFixed(2)).join("  "));
  }
} finally {
  await model.dispose();
}
