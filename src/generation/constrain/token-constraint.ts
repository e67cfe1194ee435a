/**
 * A constraint over the tokens of one vocabulary: from a state to the tokens that may follow, and on by one of them.
 *
 * States are values: nothing here changes but what is remembered, so sessions, forks, beams and drafts share one.
 */
import type { OwnProcessor } from "../sampling/stages.js";
import type { Automaton, GrammarState } from "./automaton.js";
import type { Constraint } from "./constraint.js";
import type { ConstraintVocabulary, TokenTrie } from "./vocabulary.js";

/** Where a sequence of tokens stands in a constraint. */
export interface ConstraintState {
  /** Undefined once an end token has come. */
  readonly grammar: GrammarState | undefined;
  /** Whether no text stands before the next token, of the prompt or the completion. */
  readonly atTextStart: boolean;
}

/** A set of token ids. */
export interface TokenMask {
  /** Bit `id & 31` of word `id >> 5`: whether the token may follow. */
  readonly bits: Uint32Array;
  /** How many may. */
  readonly count: number;
  /** The ids themselves, in order, where they are few. */
  readonly ids: Int32Array | undefined;
}

/** The share of a vocabulary that counts as few. */
const few = 1 / 16;

/** Bytes of masks that are remembered. */
const maskBytes = 64 * 2 ** 20;

export class TokenConstraint {
  readonly #states = new WeakMap<GrammarState, ConstraintState>();
  readonly #masks = new Map<ConstraintState, TokenMask>();
  readonly #ended: ConstraintState = { grammar: undefined, atTextStart: false };
  readonly #first: ConstraintState;

  constructor(
    readonly automaton: Automaton,
    readonly vocabulary: ConstraintVocabulary,
    /** What it was made from, where that is known. */
    readonly source?: Constraint,
  ) {
    this.#first = { grammar: automaton.start, atTextStart: true };
  }

  /** @param atTextStart - whether nothing that shows as text stands before */
  start(atTextStart = false): ConstraintState {
    return atTextStart ? this.#first : this.#stateOf(this.automaton.start);
  }

  /** The state after a token; undefined where the constraint does not allow it. */
  advance(state: ConstraintState, token: number): ConstraintState | undefined {
    const { grammar, atTextStart } = state;
    if (this.vocabulary.endIds.has(token)) return this.mayEnd(state) ? this.#ended : undefined;
    const bytes = (atTextStart ? this.vocabulary.firstBytes : this.vocabulary.bytes)[token];
    if (grammar === undefined || bytes === undefined) return undefined;
    let at: GrammarState | null = grammar;
    for (let i = 0; i < bytes.length && at !== null; i++) at = at.step(bytes[i]);
    return at === null ? undefined : this.#stateOf(at);
  }

  /**
   * The same as a processor of one's own (`processors`), for a search whose hypotheses go several ways: a beam's state
   * follows from its tokens.
   */
  processor(): OwnProcessor {
    return {
      name: "constraint",
      process: (scores, { ids, promptLength }) => {
        let state: ConstraintState | undefined = this.start();
        for (let i = promptLength; i < ids.length && state !== undefined; i++) state = this.advance(state, ids[i]);
        const left = new Float32Array(scores.length).fill(Number.NEGATIVE_INFINITY);
        if (state !== undefined) this.apply(state, scores, left);
        return left;
      },
    };
  }

  /** Whether the text may end here. */
  mayEnd({ grammar }: ConstraintState): boolean {
    return grammar === undefined || grammar.mayEnd;
  }

  /** Whether it must: nothing else may follow. */
  isComplete({ grammar }: ConstraintState): boolean {
    return grammar === undefined || !grammar.goesOn;
  }

  /** The tokens that may follow, end tokens included. Remembered; not to be changed. */
  mask(state: ConstraintState): TokenMask {
    const known = this.#masks.get(state);
    if (known !== undefined) return known;
    const mask = this.#makeMask(state);
    const kept = Math.max(16, Math.floor(maskBytes / mask.bits.byteLength));
    // The one that was made first goes first.
    if (this.#masks.size >= kept) this.#masks.delete(this.#masks.keys().next().value!);
    this.#masks.set(state, mask);
    return mask;
  }

  /**
   * The logits with every token out of reach that may not follow.
   * @param out - [vocabSize], overwritten
   * @returns how many may follow
   */
  apply(state: ConstraintState, logits: Float32Array, out: Float32Array): number {
    const { bits, count, ids } = this.mask(state);
    if (ids !== undefined) {
      out.fill(Number.NEGATIVE_INFINITY);
      for (const id of ids) out[id] = logits[id];
      return count;
    }
    out.set(logits);
    for (let word = 0, base = 0; word < bits.length; word++, base += 32) {
      const end = Math.min(logits.length, base + 32);
      if (bits[word] === 0) out.fill(Number.NEGATIVE_INFINITY, base, end);
      else forbid(out, base, end, ~bits[word]);
    }
    return count;
  }

  #makeMask(state: ConstraintState): TokenMask {
    const { vocabSize, endIds, trie, firstTrie } = this.vocabulary;
    const bits = new Uint32Array(Math.ceil(vocabSize / 32));
    if (state.grammar !== undefined) allow(state.atTextStart ? firstTrie : trie, state.grammar, bits);
    if (this.mayEnd(state)) for (const id of endIds) bits[id >> 5] |= 1 << (id & 31);
    let count = 0;
    for (const word of bits) count += ones(word);
    return { bits, count, ids: count <= few * vocabSize ? idsOf(bits, count) : undefined };
  }

  #stateOf(grammar: GrammarState): ConstraintState {
    let state = this.#states.get(grammar);
    if (state === undefined) {
      state = { grammar, atTextStart: false };
      this.#states.set(grammar, state);
    }
    return state;
  }
}

/** Puts the tokens from `base` to `end` out of reach whose bits are set. */
function forbid(out: Float32Array, base: number, end: number, bits: number): void {
  for (let rest = bits; rest !== 0; rest &= rest - 1) {
    const id = base + 31 - Math.clz32(rest & -rest);
    if (id < end) out[id] = Number.NEGATIVE_INFINITY;
  }
}

function idsOf(bits: Uint32Array, count: number): Int32Array {
  const ids = new Int32Array(count);
  let at = 0;
  for (const [word, allowed] of bits.entries()) {
    for (let rest = allowed; rest !== 0; rest &= rest - 1) ids[at++] = 32 * word + 31 - Math.clz32(rest & -rest);
  }
  return ids;
}

/** Nodes with fewer nodes below are gone through one by one. */
const largeSubtree = 8;

/** Sets the bits of all tokens that the grammar can read from a state on. */
function allow(trie: TokenTrie, start: GrammarState, bits: Uint32Array): void {
  const { bytes, depths, ends, firstTokens, tokens } = trie;
  const states: GrammarState[] = new Array(trie.maxDepth + 1).fill(start);
  let node = 1;
  while (node < bytes.length) {
    const depth = depths[node];
    const state = states[depth - 1].step(bytes[node]);
    if (state === null) {
      node = ends[node];
      continue;
    }
    states[depth] = state;
    const isLarge = ends[node] - node > largeSubtree;
    const next = isLarge && readsAllBelow(trie, node, state) ? ends[node] : node + 1;
    for (let i = firstTokens[node]; i < firstTokens[next]; i++) bits[tokens[i] >> 5] |= 1 << (tokens[i] & 31);
    node = next;
  }
}

/** The commonest state after one byte, and the set of bytes that lead to it. */
interface Main {
  readonly next: GrammarState | undefined;
  readonly bytes: Uint32Array;
}

const mains = new WeakMap<GrammarState, Main>();

function mainOf(state: GrammarState): Main {
  let main = mains.get(state);
  if (main === undefined) {
    main = findMain(state);
    mains.set(state, main);
  }
  return main;
}

function findMain(state: GrammarState): Main {
  const counts = new Map<GrammarState, number>();
  for (let byte = 0; byte < 256; byte++) {
    const next = state.step(byte);
    if (next !== null) counts.set(next, (counts.get(next) ?? 0) + 1);
  }
  const [next] = [...counts].sort(([, a], [, b]) => b - a)[0] ?? [];
  const bytes = new Uint32Array(8);
  for (let byte = 0; byte < 256; byte++) if (state.step(byte) === next) bytes[byte >> 5] |= 1 << (byte & 31);
  return { next, bytes };
}

/**
 * Whether all that stands below a node can be read from a state on, seen without a look at each node: where one state
 * follows another over all of these bytes, as it does inside a string.
 */
function readsAllBelow({ bytesBelow, heights }: TokenTrie, node: number, from: GrammarState): boolean {
  let state = from;
  for (let depth = 0; depth < heights[node]; depth++) {
    const { next, bytes } = mainOf(state);
    if (next === undefined) return false;
    for (let word = 0; word < 8; word++) if ((bytesBelow[8 * node + word] & ~bytes[word]) !== 0) return false;
    if (next === state) return true;
    state = next;
  }
  return true;
}

function ones(word: number): number {
  let count = 0;
  for (let rest = word >>> 0; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++;
  return count;
}
