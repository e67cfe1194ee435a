/**
 * A loaded model: weights that are shared and never change, and everything one can ask of them.
 *
 * Sessions, generation, logits and inspection all run the one program of the network.
 */
import { DisposedError, InvalidValueError } from "../core/errors.js";
import { rejectUnknownOptions } from "../core/options.js";
import { renderChat } from "../tokenizers/index.js";
import { Engine } from "./engine.js";
import { checkGeneration, generate } from "./generate.js";
import { inspect } from "./inspect.js";
import { Session, sessionOptionNames } from "./session.js";
export class Model {
    parts;
    engine;
    config;
    #disposed = false;
    constructor(parts) {
        this.parts = parts;
        this.engine = new Engine(parts.network);
        this.config = parts.network.config;
    }
    /** @throws InvalidValueError for a checkpoint that came without one */
    get tokenizer() {
        const tokenizer = this.parts.tokenizer?.tokenizer;
        if (tokenizer === undefined)
            throw new InvalidValueError("tokenizer", "in the checkpoint", undefined);
        return tokenizer;
    }
    /** Whether the checkpoint came with a tokenizer; without one, prompts are token ids. */
    get hasTokenizer() {
        return this.parts.tokenizer !== undefined;
    }
    /** Ids that end a completion: the configuration's and the tokenizer's. */
    get endIds() {
        return [...new Set([...this.config.endIds, ...(this.parts.tokenizer?.tokenizer.endIds ?? [])])];
    }
    /** Positions in one sequence. */
    get contextLength() {
        return this.engine.network.capacity.contextLength;
    }
    /**
     * Logits after every token.
     * @param input - token ids; for an encoder-decoder model the source and what is fed to the decoder, its start id first
     * @returns [tokens × vocabSize]; row i predicts the token after token i
     */
    async logits(input, options = {}) {
        rejectUnknownOptions(options, ["signal", "onProgress"]);
        this.#open();
        const { source, target } = "source" in input ? input : { source: undefined, target: input };
        const { vocabSize } = this.config;
        const all = new Float32Array(target.length * vocabSize);
        const sequence = await this.engine.sequence(source);
        try {
            const onOutput = ({ index, logits }) => all.set(logits, index * vocabSize);
            await this.engine.advance([{ sequence, ids: target, outputs: "all" }], { ...options, onOutput });
        }
        finally {
            sequence.dispose();
        }
        return all;
    }
    /**
     * A sequence in progress that begins with `prompt`. Nothing of it is run before the first step.
     * Dispose it, or use `using`, to free its place in the cache.
     */
    async session(prompt, options = {}) {
        rejectUnknownOptions(options, sessionOptionNames);
        this.#open();
        const { source, ids } = this.#encode(prompt);
        const sequence = await this.engine.sequence(source);
        try {
            const session = new Session(this.engine, this.parts.tokenizer?.tokenizer, sequence, options);
            session.extend(ids);
            return session;
        }
        catch (error) {
            sequence.dispose();
            throw error;
        }
    }
    /**
     * Streams a completion of `prompt`, token by token. Ending the loop early frees everything.
     * @throws UnknownOptionError, OutOfRangeError, ContextFullError, and the signal's reason when it is aborted
     */
    async *generate(prompt, options = {}) {
        checkGeneration(options);
        const { sampling, alternatives } = options;
        const session = await this.session(prompt, { sampling, alternatives });
        try {
            yield* generate(session, options, this.endIds);
        }
        finally {
            session.dispose();
        }
    }
    /**
     * Named results inside the model for every token, such as `blocks.0.attention.query`: the program that generates,
     * with these values kept.
     * @returns by name, [tokens, width]; see `resultNames`
     */
    async inspect(input, names) {
        this.#open();
        return inspect(this.engine, input, names);
    }
    /** Every name that `inspect` takes. */
    resultNames() {
        return this.parts.network.resultNames();
    }
    /** A prompt from chat messages, by the checkpoint's template. @throws InvalidValueError where there is none */
    chatPrompt(messages, options = {}) {
        const { chatTemplate, bosToken, eosToken } = this.parts.tokenizer ?? {};
        if (chatTemplate === undefined)
            throw new InvalidValueError("chat template", "in the checkpoint", undefined);
        return renderChat(chatTemplate, messages, { addGenerationPrompt: true, bosToken, eosToken, ...options });
    }
    /** Waits for what is running, then frees all memory. */
    async dispose() {
        if (this.#disposed)
            return;
        this.#disposed = true;
        await this.engine.idle();
        this.parts.network.dispose();
        await this.parts.release();
    }
    async [Symbol.asyncDispose]() {
        await this.dispose();
    }
    #open() {
        if (this.#disposed)
            throw new DisposedError("model");
    }
    #encode(prompt) {
        const { config } = this;
        const both = typeof prompt === "object" && "source" in prompt;
        if (config.kind === "decoder-only") {
            if (both)
                throw new InvalidValueError("prompt", "a text or token ids for a decoder-only model", "a source");
            return { ids: this.#begin(prompt) };
        }
        const { source, target } = both ? prompt : { source: prompt, target: undefined };
        const reader = this.parts.sourceTokenizer?.tokenizer ?? this.parts.tokenizer?.tokenizer;
        const start = [config.decoderStartId];
        const answer = typeof target === "string" ? this.tokenizer.encode(target, { addSpecialTokens: false }) : (target ?? []);
        return { source: encodeText(source, reader), ids: [...start, ...Array.from(answer)] };
    }
    /** A decoder-only prompt; the empty text becomes the beginning token. */
    #begin(prompt) {
        const ids = encodeText(prompt, this.parts.tokenizer?.tokenizer);
        if (ids.length > 0)
            return ids;
        const begin = this.parts.tokenizer?.tokenizer.beginId ?? this.config.beginId;
        if (begin === undefined)
            throw new InvalidValueError("prompt", "at least one token: the model has no beginning token", "");
        return [begin];
    }
}
function encodeText(text, tokenizer) {
    if (typeof text !== "string")
        return text;
    if (tokenizer === undefined)
        throw new InvalidValueError("prompt", "token ids: this model has no tokenizer", text);
    return tokenizer.encode(text);
}
