/** Where a run's checkpoints lie: each a folder of files that is there whole or not at all. */
import { type ByteSink, type Folder, MemorySink, memoryFolder } from "../formats/index.js";

/** Starts a file of the checkpoint that is being written. */
export type CreateFile = (file: string) => Promise<ByteSink>;

export interface CheckpointStore {
  /** For messages. */
  readonly name: string;
  /** Steps whose checkpoints are complete, in increasing order. */
  steps(): Promise<number[]>;
  /**
   * Writes the checkpoint of `step` in the place of one that is there already. When `write` fails, or the process
   * dies at whatever moment, the store holds what it held before or all of the new one.
   */
  write(step: number, write: (create: CreateFile) => Promise<void>): Promise<void>;
  /** @throws FileNotFoundError when there is no such checkpoint */
  open(step: number): Promise<Folder>;
  remove(step: number): Promise<void>;
  /** Where the checkpoint of a step lies, for messages. */
  placeOf(step: number): string;
}

/** Checkpoints in memory: for tests, and for pages that keep them elsewhere. */
export class MemoryCheckpointStore implements CheckpointStore {
  readonly #checkpoints = new Map<number, Map<string, Uint8Array>>();

  constructor(readonly name = "memory") {}

  async steps(): Promise<number[]> {
    return [...this.#checkpoints.keys()].sort((a, b) => a - b);
  }

  async write(step: number, write: (create: CreateFile) => Promise<void>): Promise<void> {
    const sinks = new Map<string, MemorySink>();
    await write(async (file) => {
      const sink = new MemorySink(file);
      sinks.set(file, sink);
      return sink;
    });
    this.#checkpoints.set(step, new Map([...sinks].map(([file, sink]) => [file, sink.bytes()])));
  }

  async open(step: number): Promise<Folder> {
    return memoryFolder(this.#checkpoints.get(step) ?? new Map(), this.placeOf(step));
  }

  async remove(step: number): Promise<void> {
    this.#checkpoints.delete(step);
  }

  placeOf(step: number): string {
    return `${this.name}/step-${step}`;
  }
}
