/**
 * What `bench/browser.ts` has a page do: load a model in an engine, read a prompt, decode, and say how fast.
 *
 * Each function travels into the page as text, so it uses nothing but its arguments and what the page holds:
 * `hitherto` and `wllama`, the two packages.
 */
import type * as hitherto from "../dist/index.js";

export interface PageTask {
  /** Address of a GGUF file. */
  readonly file: string;
  /** Text that both engines make the same tokens of, as many as `prefill` says. */
  readonly prompt: string;
  readonly prefill: number;
  readonly decode: number;
  readonly threads: number;
  /** Runs to report; one more goes before them uncounted. */
  readonly repeat: number;
  /** Hitherto's; the best that the browser has unless given. */
  readonly instructionSet?: string;
}

export interface PageAnswer {
  readonly isolated: boolean;
  readonly threads: number;
  readonly engine: string;
  /** Tokens per second, run by run. */
  readonly prefill: number[];
  readonly decode: number[];
}

export async function measureHitherto(task: PageTask): Promise<PageAnswer> {
  const { loadModel } = (globalThis as unknown as { hitherto: typeof hitherto }).hitherto;
  const { threads, instructionSet } = task;
  const contextLength = task.prefill + task.decode + 1;
  const model = await loadModel(task.file, { kernels: "/dist/wasm/", threads, instructionSet, contextLength });
  const { backend } = model.engine.network;
  const ids = model.tokenizer.encode(task.prompt);
  if (ids.length !== task.prefill) throw new Error(`${ids.length} tokens in the prompt, not ${task.prefill}`);
  const prefill: number[] = [];
  const decode: number[] = [];
  for (let run = 0; run <= task.repeat; run++) {
    const start = performance.now();
    const session = await model.session(ids);
    await session.logits();
    const prefilled = performance.now();
    await session.step();
    const first = performance.now();
    for (let i = 0; i < task.decode; i++) await session.step();
    if (run > 0) {
      prefill.push((1000 * task.prefill) / (prefilled - start));
      decode.push((1000 * task.decode) / (performance.now() - first));
    }
    session.dispose();
  }
  const engine = `hitherto ${backend.instructionSet}`;
  const answer = { isolated: crossOriginIsolated, threads: backend.threads, engine, prefill, decode };
  await model.dispose();
  return answer;
}

/** What is used of wllama's module. */
interface WllamaModule {
  readonly Wllama: {
    new (paths: { default: string }, options: object): Wllama;
    getLibllamaVersion(): string;
  };
}
interface Wllama {
  loadModel(blobs: Blob[], options: object): Promise<void>;
  getNumThreads(): number;
  createCompletion(options: object): Promise<{
    readonly timings: Readonly<
      Record<"prompt_n" | "prompt_per_second" | "predicted_n" | "predicted_per_second", number>
    >;
  }>;
  exit(): Promise<void>;
}

/** Speeds are wllama's own timings, which leave out what passes between its worker and the page around a request. */
export async function measureWllama(task: PageTask): Promise<PageAnswer> {
  const { Wllama } = (globalThis as unknown as { wllama: WllamaModule }).wllama;
  const silent = () => {};
  const logger = { debug: silent, log: silent, warn: silent, error: silent };
  const wllama = new Wllama({ default: "/wllama/esm/wasm/wllama.wasm" }, { logger });
  const blob = await (await fetch(task.file)).blob();
  await wllama.loadModel([blob], {
    n_threads: task.threads,
    n_ctx: task.prefill + task.decode + 64,
    n_batch: task.prefill,
    n_ubatch: task.prefill,
    n_parallel: 1,
    n_gpu_layers: 0,
  });
  const prefill: number[] = [];
  const decode: number[] = [];
  for (let run = 0; run <= task.repeat; run++) {
    const { timings } = await wllama.createCompletion({
      prompt: task.prompt,
      max_tokens: task.decode + 1,
      temperature: 0,
      cache_prompt: false,
      timings_per_token: true,
      // Always one token, for bytes that are no text, as random weights write them, stop wllama with an error.
      logit_bias: [[300, 100]],
    });
    if (timings.prompt_n !== task.prefill || timings.predicted_n !== task.decode + 1) {
      throw new Error(`wllama read ${timings.prompt_n} tokens and wrote ${timings.predicted_n}`);
    }
    if (run === 0) continue;
    prefill.push(timings.prompt_per_second);
    decode.push(timings.predicted_per_second);
  }
  const [threads, engine] = [wllama.getNumThreads(), `wllama, llama.cpp ${Wllama.getLibllamaVersion()}`];
  await wllama.exit();
  return { isolated: crossOriginIsolated, threads, engine, prefill, decode };
}
