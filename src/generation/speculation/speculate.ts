/** From what the options name to a proposer, and to what takes a session's steps with it. */
import { checkVocabularies } from "../compare.js";
import type { Model } from "../model.js";
import type { Session } from "../session.js";
import { DraftProposer } from "./draft.js";
import { DraftChoice, type TargetChoice } from "./draft-choice.js";
import { LookupProposer } from "./lookup.js";
import { checkSpeculation, defaultProposals, type SpeculationOptions } from "./options.js";
import type { Proposer } from "./proposer.js";
import { Speculator } from "./speculator.js";

/**
 * @param model - the session's
 * @param source - what the session's decoder attends to, where it attends to a source
 * @throws UnknownOptionError, InvalidValueError, OutOfRangeError, VocabularyMismatchError
 */
export async function speculate(
  model: Model,
  session: Session,
  options: SpeculationOptions,
  source?: ArrayLike<number>,
): Promise<Speculator> {
  checkSpeculation(options);
  const { tokens = defaultProposals, adaptive = true } = options;
  return new Speculator(session, await proposerOf(model, session, options, source), tokens, adaptive);
}

async function proposerOf(
  model: Model,
  session: Session,
  { draft, lookup, proposer, sameDraws = false }: SpeculationOptions,
  source: ArrayLike<number> | undefined,
): Promise<Proposer> {
  if (proposer !== undefined) return proposer;
  if (lookup) return new LookupProposer(lookup === true ? {} : lookup);
  const choice: TargetChoice = { options: choiceOptions(session), seed: session.seed, sameDraws };
  return draftProposer(model, draft!, choice, source);
}

async function draftProposer(
  model: Model,
  draft: Model,
  target: TargetChoice,
  source: ArrayLike<number> | undefined,
): Promise<Proposer> {
  checkPair(model, draft);
  const { vocabSize, bannedIds = [] } = model.config;
  const choice = new DraftChoice({ vocabSize, endIds: model.endIds, bannedIds }, target);
  return new DraftProposer(draft.engine, await draft.engine.sequence(source), choice);
}

function choiceOptions({ options }: Session): TargetChoice["options"] {
  const { sampling, penalties, tokens } = options;
  return { sampling, penalties, tokens };
}

/** Pairs that were looked through: vocabularies are large, and do not change. */
const pairs = new WeakMap<Model, WeakSet<Model>>();

/** @throws VocabularyMismatchError */
function checkPair(model: Model, draft: Model): void {
  const known = pairs.get(model) ?? new WeakSet();
  if (known.has(draft)) return;
  checkVocabularies(model, draft);
  pairs.set(model, known.add(draft));
}
