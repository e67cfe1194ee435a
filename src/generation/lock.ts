/** One at a time: sessions take turns on a model's programs, in the order in which they ask. */
export class Lock {
  #last: Promise<void> = Promise.resolve();
  #held = 0;

  /** Whether nobody holds the lock or waits for it. */
  get isFree(): boolean {
    return this.#held === 0;
  }

  /** Runs `task` when all earlier ones have ended, whether well or badly. */
  run<T>(task: () => Promise<T>): Promise<T> {
    this.#held++;
    const result = this.#last.then(task);
    this.#last = result.then(
      () => this.#release(),
      () => this.#release(),
    );
    return result;
  }

  #release(): void {
    this.#held--;
  }
}
