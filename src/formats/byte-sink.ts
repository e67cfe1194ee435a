/** Where a writer puts a file, from the first byte to the last: a file, or memory. */

export interface ByteSink {
  /** For messages: a path or a name. */
  readonly name: string;
  /** Appends `bytes`, which the caller may change again once the promise is settled. */
  write(bytes: Uint8Array): Promise<void>;
  /** Finishes the file. Until then nobody sees it under its name. */
  close(): Promise<void>;
  /** Gives the file up: nothing remains of it. */
  abort(): Promise<void>;
}

/** Collects a file in memory. */
export class MemorySink implements ByteSink {
  private readonly parts: Uint8Array[] = [];
  private size = 0;

  constructor(readonly name = "memory") {}

  async write(bytes: Uint8Array): Promise<void> {
    this.parts.push(bytes.slice());
    this.size += bytes.length;
  }

  async close(): Promise<void> {}

  async abort(): Promise<void> {
    this.parts.length = 0;
    this.size = 0;
  }

  /** The whole file so far, as one new array. */
  bytes(): Uint8Array<ArrayBuffer> {
    const whole = new Uint8Array(this.size);
    let at = 0;
    for (const part of this.parts) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }
}

/** Writes a file with `body`, then closes the sink; when `body` throws, gives the file up. */
export async function writeFile(sink: ByteSink, body: () => Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    await sink.abort();
    throw error;
  }
  await sink.close();
}
