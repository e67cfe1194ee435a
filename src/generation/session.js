/**
 * A sequence in progress: a mutable timeline of token ids that can be read, stepped, appended to, rewound and forked.
 *
 * What follows from a timeline depends on its tokens and its seed alone, to the bit: a session that was rewound,
 * forked or fed in pieces continues as a fresh one with the same tokens would.
 */
import { DisposedError, HithertoError, InvalidValueError, OutOfRangeError } from "../core/errors.js";
import { rejectUnknownOptions } from "../core/options.js";
import { topAlternatives } from "./alternatives.js";
import { createSampler } from "./sampling/sampler.js";
const stepOptionNames = ["token", "signal", "onProgress"];
/** A session was used before the step, `logits` or `append` that it was given last had ended. */
export class SessionBusyError extends HithertoError {
    code = "SESSION_BUSY";
    constructor() {
        super("a session does one thing at a time: await its last call before the next, or fork it first");
    }
}
/** Options of `Model.session` and of `Session.fork`. */
export const sessionOptionNames = ["sampling", "alternatives"];
export class Session {
    engine;
    tokenizer;
    options;
    #ids = [];
    #alternatives;
    #sampler;
    #sequence;
    /** Whether a call that waits for the engine has not ended yet. */
    #busy = false;
    #stream;
    /** Logits after the last token, when `#logitsLength` is the sequence's length. */
    #logits;
    #logSumExp = 0;
    #masked;
    #logitsLength = -1;
    /**
     * Called by `Model.session`.
     * @param inheritedSeed - the seed where the options name none; default: a fresh one
     * @throws what `createSampler` throws
     */
    constructor(engine, tokenizer, sequence, options = {}, inheritedSeed) {
        this.engine = engine;
        this.tokenizer = tokenizer;
        this.options = options;
        const { vocabSize } = engine.network.config;
        this.#sampler = createSampler(options.sampling ?? {}, vocabSize, inheritedSeed);
        this.#alternatives = options.alternatives ?? 0;
        if (!(Number.isInteger(this.#alternatives) && this.#alternatives >= 0 && this.#alternatives <= vocabSize)) {
            throw new OutOfRangeError("alternatives", `a whole number from 0 to ${vocabSize}`, this.#alternatives);
        }
        this.#sequence = sequence;
    }
    /** All tokens of the timeline, the prompt's first. */
    get tokenIds() {
        return this.#ids;
    }
    get length() {
        return this.#ids.length;
    }
    /** Positions that the timeline can still grow by. */
    get room() {
        return this.engine.network.capacity.contextLength - this.#ids.length;
    }
    /** The seed in use: give it to another session to draw the same tokens. */
    get seed() {
        return this.#sampler.seed;
    }
    /** The whole timeline as text. @throws InvalidValueError for a model without a tokenizer */
    get text() {
        return this.#needTokenizer().decode(this.#ids);
    }
    /**
     * Logits for the token after the last one. Runs what was added since the last call.
     * @returns [vocabSize], the session's own memory: valid until its next step
     */
    async logits(signal, onProgress) {
        return this.#alone((sequence) => this.#run(sequence, signal, onProgress));
    }
    async #run(sequence, signal, onProgress) {
        if (this.#ids.length === 0)
            throw new InvalidValueError("session", "a sequence of at least one token", "an empty one");
        if (this.#logitsLength === this.#ids.length)
            return this.#logits;
        this.#logits ??= new Float32Array(this.engine.network.config.vocabSize);
        // The last token is run again where it was run before without its logits being kept: same bits.
        const from = Math.min(sequence.length, this.#ids.length - 1);
        if (sequence.length > from)
            sequence.table.truncate(from);
        const ids = from === 0 ? this.#ids : this.#ids.slice(from);
        this.#logitsLength = -1;
        await this.engine.advance([{ sequence, ids, outputs: "last" }], {
            signal,
            onProgress,
            onOutput: ({ logits, logSumExp }) => {
                this.#logits.set(logits);
                this.#logSumExp = logSumExp;
            },
        });
        this.#open(); // it may have been disposed meanwhile
        this.#logitsLength = from + ids.length;
        return this.#logits;
    }
    /**
     * Chooses the next token and adds it to the timeline.
     * @throws ContextFullError, OutOfRangeError for a given token that is not in the vocabulary
     */
    async step(options = {}) {
        rejectUnknownOptions(options, stepOptionNames);
        return this.#alone((sequence) => this.#step(sequence, options));
    }
    async #step(sequence, options) {
        const logits = await this.#run(sequence, options.signal, options.onProgress);
        const position = this.#ids.length;
        const token = options.token ?? this.#sampler.choose(this.#allowed(logits), position);
        if (!(Number.isInteger(token) && token >= 0 && token < logits.length)) {
            throw new OutOfRangeError("token", `a whole number from 0 to ${logits.length - 1}`, token);
        }
        const text = this.#push(token);
        const logprob = logits[token] - this.#logSumExp;
        const alternatives = this.#alternatives === 0 ? [] : topAlternatives(logits, this.#logSumExp, this.#alternatives);
        return { token, text, logprob, alternatives, position, logits };
    }
    /** Steps `count` times; returns the tokens. */
    async take(count) {
        const tokens = [];
        for (let i = 0; i < count; i++)
            tokens.push((await this.step()).token);
        return tokens;
    }
    /** Adds text or token ids to the timeline; they are run now, so that the next step is quick. */
    async append(addition, signal) {
        this.#idle();
        const ids = typeof addition === "string" ? this.#needTokenizer().encode(addition, { addSpecialTokens: false }) : addition;
        if (ids.length === 0)
            return;
        this.extend(ids);
        await this.#alone(async (sequence) => {
            try {
                await this.#run(sequence, signal);
            }
            catch (error) {
                this.#cut(sequence, ids.length);
                throw error;
            }
        });
    }
    /** Adds token ids without running them yet; the next step or `logits` does. */
    extend(ids) {
        this.#idle();
        for (let i = 0; i < ids.length; i++)
            this.#push(ids[i]);
    }
    /** Takes the last `count` tokens off the timeline. @throws OutOfRangeError */
    rewind(count) {
        const sequence = this.#idle();
        if (!(Number.isInteger(count) && count >= 0 && count <= this.#ids.length)) {
            throw new OutOfRangeError("count", `a whole number from 0 to ${this.#ids.length}`, count);
        }
        if (count > 0)
            this.#cut(sequence, count);
    }
    #cut(sequence, count) {
        this.#ids.length -= count;
        if (sequence.length > this.#ids.length)
            sequence.table.truncate(this.#ids.length);
        this.#logitsLength = -1;
        this.#stream = undefined;
    }
    /**
     * A second timeline with the same past, sharing its memory until they differ.
     * It draws the same tokens as this one unless given another seed.
     */
    fork(options = {}) {
        rejectUnknownOptions(options, sessionOptionNames);
        const merged = { ...this.options, ...options, sampling: { ...this.options.sampling, ...options.sampling } };
        const sequence = this.#idle().fork();
        let fork;
        try {
            fork = new Session(this.engine, this.tokenizer, sequence, merged, this.seed);
        }
        catch (error) {
            sequence.dispose();
            throw error;
        }
        for (const id of this.#ids)
            fork.#ids.push(id);
        if (this.#logitsLength === this.#ids.length) {
            fork.#logits = this.#logits.slice();
            fork.#logSumExp = this.#logSumExp;
            fork.#logitsLength = this.#logitsLength;
        }
        return fork;
    }
    /** What is left of the text at the end: bytes that never became a whole character. */
    flushText() {
        const text = this.#stream?.flush() ?? "";
        this.#stream = undefined;
        return text;
    }
    /** Frees the session's memory, once what is under way has ended. It cannot be used afterwards. */
    dispose() {
        if (!this.#busy)
            this.#sequence?.dispose();
        this.#sequence = undefined;
    }
    [Symbol.dispose]() {
        this.dispose();
    }
    /** The logits with the model's banned ids out of reach; the logits themselves where it has none. */
    #allowed(logits) {
        const { bannedIds = [] } = this.engine.network.config;
        if (bannedIds.length === 0)
            return logits;
        this.#masked ??= new Float32Array(logits.length);
        this.#masked.set(logits);
        for (const id of bannedIds)
            this.#masked[id] = Number.NEGATIVE_INFINITY;
        return this.#masked;
    }
    #push(token) {
        if (this.tokenizer === undefined) {
            this.#ids.push(token);
            return "";
        }
        this.#stream ??= this.tokenizer.stream({ after: this.#ids });
        this.#ids.push(token);
        return this.#stream.push(token);
    }
    /** Runs `task` while nothing else may touch the timeline. */
    async #alone(task) {
        const sequence = this.#idle();
        this.#busy = true;
        try {
            return await task(sequence);
        }
        finally {
            this.#busy = false;
            if (this.#sequence === undefined)
                sequence.dispose();
        }
    }
    #idle() {
        const sequence = this.#open();
        if (this.#busy)
            throw new SessionBusyError();
        return sequence;
    }
    #open() {
        if (this.#sequence === undefined)
            throw new DisposedError("session");
        return this.#sequence;
    }
    #needTokenizer() {
        if (this.tokenizer === undefined)
            throw new InvalidValueError("text", "token ids: this model has no tokenizer", "text");
        return this.tokenizer;
    }
}
