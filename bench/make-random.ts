/** `node dist/bench/make-random.js SHAPE STORAGE FILE`: writes a random GGUF file, e.g. 1.1B q8_0 /tmp/1.1b.gguf. */
import { writeRandomGguf } from "./random-gguf.js";
import { shapes } from "./shapes.js";

const [name = "", storage = "", path = ""] = process.argv.slice(2);
const shape = shapes[name];
if (shape === undefined || !["f32", "f16", "q8_0", "q4_0"].includes(storage) || path === "") {
  console.error(
    `usage: make-random SHAPE STORAGE FILE; shapes: ${Object.keys(shapes).join(", ")}; storage: f32, f16, q8_0, q4_0`,
  );
  process.exitCode = 2;
} else {
  await writeRandomGguf(path, shape, storage as "f32");
}
