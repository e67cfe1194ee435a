import { BlockPool } from "../cache/block-pool.js";
import { BlockTable, ContextFullError } from "../cache/block-table.js";
import { Breather } from "../core/breathe.js";
import { HithertoError, InvalidValueError, OutOfRangeError } from "../core/errors.js";
import { blocksFor } from "../models/decoder-graph.js";
import { cacheBlockSize } from "../nn/attention-layer.js";
import { Lock } from "./lock.js";
import { EncodedSource, Sequence } from "./sequence.js";
/** A backend does one run at a time, whichever of the models on it asks. */
const locks = new WeakMap();
function lockOf(backend) {
    const lock = locks.get(backend) ?? new Lock();
    locks.set(backend, lock);
    return lock;
}
/** A run that moves more bytes of weights than this leaves the event loop; a smaller one is over before it would pay. */
const offLoopBytes = 64 * 2 ** 20;
export class Engine {
    network;
    pool;
    #crossPool;
    #lock;
    constructor(network) {
        this.network = network;
        const { capacity } = network;
        this.#lock = lockOf(network.backend);
        this.pool = new BlockPool(capacity.blocks, cacheBlockSize, (from, to) => network.copyBlock(from, to));
        if (network.config.kind === "encoder-decoder") {
            // Sources are never written after encoding, so their blocks are never copied.
            this.#crossPool = new BlockPool(capacity.crossBlocks, cacheBlockSize, () => { });
        }
    }
    /** An empty sequence; for an encoder-decoder model, one that attends to `source`. */
    async sequence(source) {
        const { contextLength } = this.network.capacity;
        if (this.#crossPool === undefined) {
            if (source !== undefined)
                throw new InvalidValueError("source", "absent for a decoder-only model", "a source");
            return Sequence.empty(this.pool, contextLength);
        }
        if (source === undefined)
            throw new InvalidValueError("source", "given for an encoder-decoder model", undefined);
        return Sequence.empty(this.pool, contextLength, await this.#encode(source, this.#crossPool));
    }
    /**
     * Adds each part's tokens to its sequence.
     * When this throws, every sequence holds just the tokens of the runs that were finished.
     * @throws OutOfRangeError for an id outside the vocabulary, ContextFullError, CacheFullError
     */
    async advance(parts, options = {}) {
        for (const part of parts)
            checkIds(part.ids, this.network.config.vocabSize);
        await this.#lock.run(() => this.#runAll(parts, options));
    }
    /** Waits until nothing runs any more. */
    idle() {
        return this.#lock.run(async () => { });
    }
    async #runAll(parts, options) {
        this.#checkRoom(parts);
        const program = options.program ?? this.network.decoder;
        const total = parts.reduce((sum, part) => sum + part.ids.length, 0);
        const run = new Run(program, this.network);
        const breather = new Breather();
        let done = 0;
        const finish = async () => {
            if (run.tokens === 0)
                return;
            options.signal?.throwIfAborted();
            await run.execute(this.#leavesLoop(run.tokens));
            done += run.tokens;
            options.onRun?.(program, run.tokens);
            if (options.onOutput !== undefined)
                run.deliver(options.onOutput);
            options.onProgress?.(done, total);
            run.clear();
            if (done < total)
                await breather.breathe();
        };
        try {
            for (const [index, part] of parts.entries()) {
                for (let next = 0; next < part.ids.length;) {
                    next = run.add(index, part, next);
                    if (next < part.ids.length || run.isFull)
                        await finish();
                }
            }
            await finish();
        }
        finally {
            run.undo();
        }
    }
    /** What cannot fit is refused whole, before the part of it that would fit is computed. */
    #checkRoom(parts) {
        const { contextLength } = this.network.capacity;
        for (const { sequence, ids } of parts) {
            const needed = sequence.length + ids.length;
            if (needed > contextLength)
                throw new ContextFullError(contextLength, needed);
        }
    }
    #leavesLoop(tokens) {
        // Arithmetic, not weight bytes, bounds a long run; four tokens' worth is about one pass over the weights.
        return this.network.weightBytes * Math.max(1, tokens / 4) > offLoopBytes;
    }
    async #encode(source, pool) {
        const { config, capacity } = this.network;
        const vocabSize = config.kind === "encoder-decoder" ? config.sourceVocabSize : 0;
        checkIds(source, vocabSize);
        return this.#lock.run(async () => {
            const table = new BlockTable(pool, capacity.contextLength);
            try {
                table.reserve(source.length);
                const output = await this.network.encode(source, table.blocks, this.#leavesLoop(source.length));
                return new EncodedSource(table, output.slice());
            }
            catch (error) {
                table.dispose();
                throw error;
            }
        });
    }
}
/** @throws OutOfRangeError naming the first id that is outside the vocabulary. */
function checkIds(ids, vocabSize) {
    for (let i = 0; i < ids.length; i++) {
        const id = ids[i];
        if (!(Number.isInteger(id) && id >= 0 && id < vocabSize)) {
            throw new OutOfRangeError(`token id at index ${i}`, `a whole number from 0 to ${vocabSize - 1}`, id);
        }
    }
}
/** Two parts of one run write to one sequence, or a sequence stands twice in a call. */
export class SequenceBusyError extends HithertoError {
    code = "SEQUENCE_BUSY";
    constructor() {
        super("one sequence cannot stand twice in one run");
    }
}
/** One run in the making: what has been written into the program's inputs so far. */
class Run {
    program;
    network;
    tokens = 0;
    #sequences = [];
    #outputs = [];
    #tableWidth;
    constructor(program, network) {
        this.program = program;
        this.network = network;
        this.#tableWidth = blocksFor(network.capacity.contextLength);
    }
    get isFull() {
        return (this.tokens === this.program.ids.length ||
            this.#outputs.length === this.program.outputRows.length ||
            this.#sequences.length === this.network.capacity.sequences);
    }
    /** Writes as many of the part's tokens from `from` on as there is room for; returns the next one's index. */
    add(index, part, from) {
        const { sequence, ids, outputs } = part;
        const roomForOutputs = outputs === "all" ? this.program.outputRows.length - this.#outputs.length : ids.length;
        const count = Math.min(ids.length - from, this.program.ids.length - this.tokens, roomForOutputs);
        if (this.#sequences.some((each) => each.sequence === sequence))
            throw new SequenceBusyError();
        const before = sequence.length;
        sequence.table.reserve(count);
        const row = this.#sequences.push({ sequence, before }) - 1;
        this.#writeTables(row, sequence);
        for (let i = 0; i < count; i++)
            this.#writeToken(row, sequence, ids[from + i], before + i);
        const end = from + count;
        for (let i = from; i < end; i++) {
            if (outputs === "none" || (outputs === "last" && i + 1 < ids.length))
                continue;
            this.program.outputRows[this.#outputs.length] = this.tokens - (end - i);
            this.#outputs.push({ part: index, index: i });
        }
        return end;
    }
    async execute(offLoop) {
        if (offLoop)
            await this.program.runAsync(this.tokens, this.#outputs.length);
        else
            this.program.run(this.tokens, this.#outputs.length);
        this.#sequences.length = 0;
    }
    deliver(onOutput) {
        const { vocabSize } = this.network.config;
        for (const [row, { part, index }] of this.#outputs.entries()) {
            const logits = this.program.logits.subarray(row * vocabSize, (row + 1) * vocabSize);
            onOutput({ part, index, logits, logSumExp: this.program.logSumExp[row] });
        }
    }
    clear() {
        this.tokens = 0;
        this.#sequences.length = 0;
        this.#outputs.length = 0;
    }
    /** Takes back the places of tokens that were written but never run. */
    undo() {
        for (const { sequence, before } of this.#sequences)
            sequence.table.truncate(before);
        this.clear();
    }
    #writeTables(row, sequence) {
        this.program.blockTables.set(sequence.table.blocks, row * this.#tableWidth);
        if (sequence.source !== undefined)
            this.program.crossTables.set(sequence.source.table.blocks, row * this.#tableWidth);
    }
    #writeToken(row, sequence, id, position) {
        const { program, tokens } = this;
        program.ids[tokens] = id;
        program.positions[tokens] = position;
        program.slots[tokens] = sequence.table.slot(position);
        program.sequences[tokens] = row;
        program.visible[tokens] = position + 1;
        if (sequence.source !== undefined)
            program.crossVisible[tokens] = sequence.source.length;
        this.tokens++;
    }
}
