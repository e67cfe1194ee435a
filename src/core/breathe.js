/** Lets timers, signals and other requests have their turn during long work that never waits by itself. */
/** Milliseconds of work after which the event loop gets its turn. */
const interval = 12;
/** Counts time since the event loop last had its turn. */
export class Breather {
    #last = performance.now();
    /** Returns at once, except when it has been a while: then after one turn of the event loop. */
    async breathe() {
        if (performance.now() - this.#last < interval)
            return;
        await new Promise((resolve) => {
            if (typeof setImmediate === "function")
                setImmediate(resolve);
            else
                setTimeout(resolve, 0);
        });
        this.#last = performance.now();
    }
}
