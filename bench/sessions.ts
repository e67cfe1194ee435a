/**
 * What sessions cost beside the tokens that they run: time to the first token of a prompt that others have run, a fork,
 * saving and restoring. `node dist/bench/sessions.js [path] [threads]`; without a path, the model that comes with the package.
 */
import { loadModel, type Session } from "hitherto";

const [path = "stories", threads = "1"] = process.argv.slice(2);
const length = 2000;

const model = await loadModel(path, { threads: Number(threads), contextLength: 4096, cache: { positions: 4 * 4096 } });
const { vocabSize } = model.config;
const prompt = (stream: number, count: number) =>
  Array.from({ length: count }, (_, i) => (i * 7919 + stream * 104_729 + 11) % vocabSize);
const median = (times: number[]) => times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
const timed = async (task: () => unknown) => {
  const started = performance.now();
  await task();
  return performance.now() - started;
};

/** Milliseconds to the first token of a prompt. */
const firstToken = (ids: number[]) =>
  timed(async () => {
    using session = await model.session(ids);
    await session.step();
  });

const [fresh, shared]: [number[], number[]] = [[], []];
for (let i = 0; i < 3; i++) {
  const ids = prompt(i, length);
  fresh.push(await firstToken(ids));
  for (let k = 0; k < 5; k++) shared.push(await firstToken(ids));
}
const ratio = median(fresh) / median(shared);
console.log(`first token of ${length}: fresh ${median(fresh).toFixed(1)} ms, shared ${median(shared).toFixed(2)} ms`);
console.log(`${ratio.toFixed(1)} times as fast; ${JSON.stringify(model.prefixes)}`);

const session = await model.session(prompt(9, 4000), { cache: { share: false } });
await session.logits();
const blocks = model.engine.pool.used;
const forks: Session[] = [];
const times: number[] = [];
for (let i = 0; i < 101; i++) times.push(await timed(() => forks.push(session.fork())));
console.log(
  `fork of 4000 tokens: ${(1000 * median(times)).toFixed(0)} µs, ${model.engine.pool.used - blocks} blocks more`,
);
for (const fork of forks) fork.dispose();
const saving = await timed(() => session.save());
const bytes = await session.save();
const restoring = await timed(async () => (await model.restore(bytes)).dispose());
const size = (bytes.length / 2 ** 20).toFixed(1);
console.log(`4000 tokens in ${size} MiB: saved in ${saving.toFixed(0)} ms, restored in ${restoring.toFixed(0)} ms`);
const turning = await timed(() => session.shift({ keep: 4, discard: 1001, method: "rotate" }));
console.log(`context shifted by rotation in ${turning.toFixed(0)} ms`);
session.dispose();
await model.dispose();
