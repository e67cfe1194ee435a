/**
 * A constraint over the tokens of one vocabulary: from a state to the tokens that may follow, and on by one of them.
 *
 * States are values: nothing here changes but what is remembered, so sessions, forks, beams and drafts share one.
 */
import type { Automaton, GrammarState } from "./automaton.js";
import { type ConstraintVocabulary, isPlain, type TokenTrie } from "./vocabulary.js";

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
}

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

  /** Puts every token that may not follow out of reach. @returns how many may */
  apply(state: ConstraintState, logits: Float32Array): number {
    const { bits, count } = this.mask(state);
    for (let word = 0, base = 0; word < bits.length; word++, base += 32) {
      const allowed = bits[word];
      const end = Math.min(logits.length, base + 32);
      if (allowed === 0) logits.fill(Number.NEGATIVE_INFINITY, base, end);
      else if (allowed !== 0xffffffff) {
        for (let id = base; id < end; id++)
          if (((allowed >>> (id & 31)) & 1) === 0) logits[id] = Number.NEGATIVE_INFINITY;
      }
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
    return { bits, count };
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

/** Sets the bits of all tokens that the grammar can read from a state on. */
function allow(trie: TokenTrie, start: GrammarState, bits: Uint32Array): void {
  const { bytes, depths, ends, firstTokens, tokens, plain } = trie;
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
    // Where nothing below can leave the state, all of it may follow.
    const next = plain[node] === 1 && node + 1 < ends[node] && isPlainLoop(state) ? ends[node] : node + 1;
    for (let i = firstTokens[node]; i < firstTokens[next]; i++) bits[tokens[i] >> 5] |= 1 << (tokens[i] & 31);
    node = next;
  }
}

const plainLoops = new WeakMap<GrammarState, boolean>();

/** Whether a state stays the same over every plain byte. */
function isPlainLoop(state: GrammarState): boolean {
  let loops = plainLoops.get(state);
  if (loops === undefined) {
    loops = true;
    for (let byte = 0; byte < 128 && loops; byte++) if (isPlain(byte)) loops = state.step(byte) === state;
    plainLoops.set(state, loops);
  }
  return loops;
}

function ones(word: number): number {
  let count = 0;
  for (let rest = word >>> 0; rest !== 0; rest = (rest & (rest - 1)) >>> 0) count++;
  return count;
}
