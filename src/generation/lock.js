/** One at a time: sessions take turns on a model's programs, in the order in which they ask. */
export class Lock {
    #last = Promise.resolve();
    #held = 0;
    /** Whether nobody holds the lock or waits for it. */
    get isFree() {
        return this.#held === 0;
    }
    /** Runs `task` when all earlier ones have ended, whether well or badly. */
    run(task) {
        this.#held++;
        const result = this.#last.then(task);
        this.#last = result.then(() => this.#release(), () => this.#release());
        return result;
    }
    #release() {
        this.#held--;
    }
}
