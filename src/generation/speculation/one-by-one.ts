/** A proposal by a model: token after token, each chosen from its logits. */
import type { Distribution } from "./acceptance.js";
import type { LogitRow } from "./ahead.js";
import type { DraftChoice } from "./draft-choice.js";
import type { Proposal, ProposalPlace } from "./proposer.js";

/** @param run - logits after the last of the ids, valid until the next call; all but the last were given before */
export async function proposeOneByOne(
  place: ProposalPlace,
  choice: DraftChoice,
  run: (ids: readonly number[]) => Promise<LogitRow>,
): Promise<Proposal> {
  const ids = [...place.ids];
  const tokens: number[] = [];
  const distributions: Distribution[] = [];
  let state = place.constraint?.state;
  for (let i = 0; i < place.count; i++) {
    const chosen = choice.choose(await run(ids), { ...place, ids }, state);
    if (chosen === undefined) break;
    const { token, from } = chosen;
    tokens.push(token);
    if (from !== undefined) distributions.push(from);
    ids.push(token);
    if (state === undefined) continue;
    state = place.constraint!.constraint.advance(state, token);
    if (state?.grammar === undefined) break;
  }
  return distributions.length > 0 ? { tokens, distributions } : { tokens };
}
