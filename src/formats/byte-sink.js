/** Where a writer puts a file, from the first byte to the last: a file, or memory. */
/** Collects a file in memory. */
export class MemorySink {
    name;
    parts = [];
    size = 0;
    constructor(name = "memory") {
        this.name = name;
    }
    async write(bytes) {
        this.parts.push(bytes.slice());
        this.size += bytes.length;
    }
    async close() { }
    async abort() {
        this.parts.length = 0;
        this.size = 0;
    }
    /** The whole file so far, as one new array. */
    bytes() {
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
export async function writeFile(sink, body) {
    try {
        await body();
    }
    catch (error) {
        await sink.abort();
        throw error;
    }
    await sink.close();
}
