/** Constraints by value, made ready for one vocabulary; those that were asked for last are kept. */
import type { Tokenizer } from "../../tokenizers/tokenizer.js";
import { type Constraint, compileConstraint } from "./constraint.js";
import { TokenConstraint } from "./token-constraint.js";
import { ConstraintVocabulary } from "./vocabulary.js";

const kept = 16;

export class ConstraintCompiler {
  readonly #compiled = new Map<string, TokenConstraint>();
  #vocabulary: ConstraintVocabulary | undefined;

  constructor(
    readonly tokenizer: Tokenizer,
    readonly vocabSize: number,
    readonly endIds: readonly number[],
  ) {}

  /** @throws what `compileConstraint` throws */
  compile(constraint: Constraint): TokenConstraint {
    const key = JSON.stringify(constraint);
    const known = this.#compiled.get(key);
    if (known !== undefined) return known;
    const automaton = compileConstraint(constraint);
    this.#vocabulary ??= new ConstraintVocabulary(this.tokenizer, this.vocabSize, this.endIds);
    const compiled = new TokenConstraint(automaton, this.#vocabulary, constraint);
    if (this.#compiled.size >= kept) this.#compiled.delete(this.#compiled.keys().next().value!);
    this.#compiled.set(key, compiled);
    return compiled;
  }
}
