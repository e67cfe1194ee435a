/** From what the options name to a proposer, and to what takes a session's steps with it. */
import { checkVocabularies, VocabularyMismatchError } from "../compare.js";
import type { Model } from "../model.js";
import type { Session } from "../session.js";
import { DraftProposer } from "./draft.js";
import { DraftChoice, type TargetChoice } from "./draft-choice.js";
import { EarlyExitProposer } from "./early-exit.js";
import { JacobiProposer } from "./jacobi.js";
import { LookaheadProposer } from "./lookahead.js";
import { LookupProposer } from "./lookup.js";
import { checkSpeculation, defaultProposals, type SpeculationOptions } from "./options.js";
import type { Proposer } from "./proposer.js";
import { RetokenisedDraft } from "./retokenised-draft.js";
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
  options: SpeculationOptions,
  source: ArrayLike<number> | undefined,
): Promise<Proposer> {
  const { draft, lookup, earlyExit, jacobi, lookahead, proposer, sameDraws = false } = options;
  if (proposer !== undefined) return proposer;
  if (lookup) return new LookupProposer(lookup === true ? {} : lookup);
  if (jacobi) return new JacobiProposer();
  if (lookahead) return new LookaheadProposer(lookahead === true ? {} : lookahead);
  const target: TargetChoice = { options: choiceOptions(session), seed: session.seed, sameDraws };
  if (earlyExit !== undefined) return new EarlyExitProposer(model.engine, earlyExit, choiceFor(model, target));
  return draftProposer(model, draft!, target, source);
}

async function draftProposer(
  model: Model,
  draft: Model,
  target: TargetChoice,
  source: ArrayLike<number> | undefined,
): Promise<Proposer> {
  if (sharesVocabulary(model, draft)) {
    return new DraftProposer(draft.engine, await draft.engine.sequence(source), choiceFor(model, target));
  }
  if (source !== undefined) throw new VocabularyMismatchError("a draft that reads a source needs the same vocabulary");
  const greedy = choiceFor(draft, { options: {}, seed: 0, sameDraws: false });
  const proposer = new DraftProposer(draft.engine, await draft.engine.sequence(), greedy);
  return new RetokenisedDraft(model.tokenizer, proposer, draft.tokenizer);
}

function choiceFor({ config, endIds }: Model, target: TargetChoice): DraftChoice {
  const { vocabSize, bannedIds = [] } = config;
  return new DraftChoice({ vocabSize, endIds, bannedIds }, target);
}

function choiceOptions({ options }: Session): TargetChoice["options"] {
  const { sampling, penalties, tokens } = options;
  return { sampling, penalties, tokens };
}

/** What is known of pairs: vocabularies are large, and do not change. */
const pairs = new WeakMap<Model, WeakMap<Model, boolean>>();

/** @throws VocabularyMismatchError where they differ and there is no way by the text */
function sharesVocabulary(model: Model, draft: Model): boolean {
  const ofModel = pairs.get(model) ?? new WeakMap<Model, boolean>();
  pairs.set(model, ofModel);
  const known = ofModel.get(draft);
  if (known !== undefined) return known;
  try {
    checkVocabularies(model, draft);
    ofModel.set(draft, true);
  } catch (error) {
    if (!(error instanceof VocabularyMismatchError) || !model.hasTokenizer || !draft.hasTokenizer) throw error;
    ofModel.set(draft, false);
  }
  return ofModel.get(draft)!;
}
