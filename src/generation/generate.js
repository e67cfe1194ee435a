/** The public streaming call: a loop over `session.step()` that knows when to stop and which text may be shown. */
import { Breather } from "../core/breathe.js";
import { OutOfRangeError } from "../core/errors.js";
import { rejectUnknownOptions } from "../core/options.js";
import { checkStopping, StopStrings } from "./stopping.js";
const optionNames = ["maxTokens", "sampling", "stopping", "alternatives", "signal", "onProgress"];
/** @throws UnknownOptionError, OutOfRangeError, InvalidValueError */
export function checkGeneration(options) {
    rejectUnknownOptions(options, optionNames);
    const { maxTokens = 256, stopping } = options;
    if (!(Number.isInteger(maxTokens) && maxTokens >= 1))
        throw new OutOfRangeError("maxTokens", "a whole number from 1 on", maxTokens);
    if (stopping !== undefined)
        checkStopping(stopping);
}
/**
 * Generates from where the session stands.
 * @param endIds - the model's own end ids
 */
export async function* generate(session, options, endIds) {
    const { maxTokens = 256, stopping = {}, signal } = options;
    const ends = new Set(stopping.endIds === false ? [] : endIds);
    const stops = new Set(stopping.tokenIds ?? []);
    const strings = new StopStrings(stopping.strings ?? []);
    const deadline = stopping.maxTime === undefined ? Number.POSITIVE_INFINITY : performance.now() + stopping.maxTime;
    const breather = new Breather();
    for (let count = 1;; count++) {
        signal?.throwIfAborted();
        const onProgress = count === 1 ? options.onProgress : undefined;
        const { token, text, logprob, alternatives } = await session.step({ signal, onProgress });
        const shown = ends.has(token) || stops.has(token) ? { text: "" } : strings.push(text);
        const stop = stopReason(token, shown.stopped, {
            ends,
            stops,
            full: session.room === 0,
            last: count === maxTokens,
            deadline,
        });
        if (stop === undefined) {
            yield { token, text: shown.text, logprob, alternatives };
        }
        else {
            const rest = stop.kind === "string" ? "" : remainder(session, strings, stop);
            yield { token, text: shown.text + rest, logprob, alternatives, stop };
            return;
        }
        await breather.breathe();
    }
}
function stopReason(token, stopped, limits) {
    if (limits.ends.has(token))
        return { kind: "end", token };
    if (limits.stops.has(token))
        return { kind: "token", token };
    if (stopped !== undefined)
        return { kind: "string", text: stopped };
    if (limits.last)
        return { kind: "maxTokens" };
    if (limits.full)
        return { kind: "contextLength" };
    if (performance.now() >= limits.deadline)
        return { kind: "maxTime" };
    return undefined;
}
/** Text that was held back and is not coming to more. */
function remainder(session, strings, stop) {
    const held = strings.flush();
    // An end token's own text is not part of the completion, so the stream must not be asked for it.
    return stop.kind === "end" || stop.kind === "token" ? held : held + session.flushText();
}
