/**
 * Beam search over many prompts at once: the beams of all of them advance in the same runs of the program.
 *
 * Beams of one prompt share the blocks of the cache up to where they differ, and one encoded source. A prompt that is
 * done makes room for the next one; what is found for a prompt never depends on which others are under way.
 */
import { CacheFullError } from "../../cache/block-pool.js";
import { Breather } from "../../core/breathe.js";
import type { Engine } from "../engine.js";
import type { Part } from "../run.js";
import type { FinishedBeam } from "./beams.js";
import type { BeamSettings } from "./options.js";
import { type EncodedPrompt, PromptSearch } from "./prompt-search.js";

export interface SearchListeners {
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * @returns for each prompt its hypotheses, best first: at most `settings.count`
 * @throws ContextFullError, CacheFullError when not even one prompt's beams fit, NoContinuationError
 */
export async function searchAll(
  engine: Engine,
  prompts: readonly EncodedPrompt[],
  settings: BeamSettings,
  { signal, onProgress }: SearchListeners = {},
): Promise<FinishedBeam[][]> {
  const results: FinishedBeam[][] = prompts.map(() => []);
  const waiting = [...prompts.keys()].reverse();
  const active = new Set<PromptSearch>();
  const breather = new Breather();
  try {
    while (waiting.length > 0 || active.size > 0) {
      signal?.throwIfAborted();
      await admit(engine, prompts, settings, waiting, active);
      makeRoom(engine, waiting, active);
      await advance(engine, [...active], signal);
      for (const search of [...active].filter((each) => each.isDone)) {
        results[search.index] = search.finished.slice(0, settings.count);
        search.dispose();
        active.delete(search);
        onProgress?.(prompts.length - waiting.length - active.size, prompts.length);
      }
      await breather.breathe();
    }
  } finally {
    for (const search of active) search.dispose();
  }
  return results;
}

/** Begins with as many of the waiting prompts as one run has room for; the first of them is the last in the list. */
async function admit(
  engine: Engine,
  prompts: readonly EncodedPrompt[],
  settings: BeamSettings,
  waiting: number[],
  active: Set<PromptSearch>,
): Promise<void> {
  const { capacity } = engine.network;
  const room = Math.max(1, Math.floor(Math.min(capacity.sequences, capacity.outputs) / settings.beams));
  while (waiting.length > 0 && active.size < room) {
    const index = waiting.at(-1)!;
    const prompt = prompts[index]!;
    if (active.size > 0 && !hasRoomFor(engine, prompt, settings.beams, active)) return;
    try {
      const sequence = await engine.sequence(prompt.source);
      engine.adopt(sequence, prompt.ids);
      active.add(new PromptSearch(engine, index, prompt, settings, sequence));
    } catch (error) {
      if (error instanceof CacheFullError && active.size > 0) return; // when another is done, its source makes room
      throw error;
    }
    waiting.pop();
  }
}

/** Whether a prompt, and then a block for each of its beams, fits beside the next step of those that are under way. */
function hasRoomFor(engine: Engine, { ids }: EncodedPrompt, beams: number, active: ReadonlySet<PromptSearch>): boolean {
  const { size, used, blockSize } = engine.pool;
  let blocks = Math.ceil(ids.length / blockSize) + beams;
  for (const search of active) blocks += search.blocksNeeded();
  return used + blocks <= size;
}

/** Puts back the prompts that were begun last while the next step does not fit into the cache; they begin anew later. */
function makeRoom(engine: Engine, waiting: number[], active: Set<PromptSearch>): void {
  const searches = [...active];
  let needed = searches.reduce((sum, search) => sum + search.blocksNeeded(), 0);
  while (searches.length > 1 && engine.pool.used + needed > engine.pool.size) {
    const last = searches.pop()!;
    needed -= last.blocksNeeded();
    last.dispose();
    active.delete(last);
    waiting.push(last.index);
  }
}

/** One token more for every beam. */
async function advance(engine: Engine, searches: readonly PromptSearch[], signal?: AbortSignal): Promise<void> {
  const parts: Part[] = [];
  const owners: { search: PromptSearch; beam: number }[] = [];
  for (const search of searches) {
    for (const [beam, part] of search.parts().entries()) {
      parts.push(part);
      owners.push({ search, beam });
    }
  }
  await engine.advance(parts, {
    signal,
    onOutput: (row) => {
      const { search, beam } = owners[row.part]!;
      search.offer(beam, row);
    },
  });
  for (const [i, { sequence, ids }] of parts.entries()) {
    if (ids.length > 1) engine.remember(sequence, owners[i]!.search.prompt.ids);
  }
  for (const search of searches) await search.choose();
}
