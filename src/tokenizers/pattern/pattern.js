/**
 * Matching of patterns from tokenizer files: backtracking, in the order of preference that Perl, Oniguruma and
 * JavaScript share, over a flat program, with a budget of steps that ends a runaway pattern with a typed error.
 */
import { HithertoError, UnsupportedError } from "../../core/errors.js";
import { patternWordCharacters, unitsAt } from "../text/code-points.js";
import { isNullable, parsePattern } from "./syntax.js";
/** A pattern from a file needs too many steps on this text. */
export class PatternCostError extends HithertoError {
    pattern;
    steps;
    code = "PATTERN_TOO_COSTLY";
    constructor(pattern, steps) {
        super(`the tokenizer's pattern ${JSON.stringify(pattern)} gave up after ${steps} steps on this text`);
        this.pattern = pattern;
        this.steps = steps;
    }
}
const maxInstructions = 20_000;
const freeSteps = 10_000;
const stepsPerUnit = 300;
/** A compiled pattern. */
export class Pattern {
    source;
    /** Whether it may match the empty text. */
    matchesEmpty;
    program;
    steps = 0;
    budget = 0;
    /** @throws UnsupportedError when the pattern has syntax that is not supported, or is too large. */
    constructor(source) {
        this.source = source;
        const node = parsePattern(source);
        this.matchesEmpty = isNullable(node);
        this.program = compile(node, { source, instructions: 0 });
    }
    /**
     * Every match in `text`, from left to right, not overlapping; empty matches included.
     * @throws PatternCostError when the pattern needs unreasonably many steps.
     */
    forEachMatch(text, onMatch) {
        this.steps = 0;
        this.budget = freeSteps + stepsPerUnit * text.length;
        for (let at = 0; at <= text.length;) {
            const end = this.run(this.program, text, at);
            if (end >= 0)
                onMatch(at, end);
            at = end > at ? end : at + (at < text.length ? unitsAt(text, at) : 1);
        }
    }
    /** End of the match that starts at `start`, or -1. */
    run(program, text, start) {
        const stack = [];
        let pc = 0;
        let at = start;
        for (;;) {
            if (++this.steps > this.budget)
                throw new PatternCostError(this.source, this.steps);
            const instruction = program[pc];
            let alive = true;
            switch (instruction.op) {
                case "set":
                    alive = at < text.length && instruction.set.has(text.codePointAt(at));
                    if (alive)
                        at += unitsAt(text, at);
                    pc++;
                    break;
                case "run": {
                    const { set, min, max, keep } = instruction;
                    let count = 0;
                    let low = at;
                    while (count < max && at < text.length && set.has(text.codePointAt(at))) {
                        at += unitsAt(text, at);
                        if (++count === min)
                            low = at;
                    }
                    this.steps += count;
                    alive = count >= min;
                    pc++;
                    if (alive && !keep && at > low)
                        stack.push(pc, before(text, at), low);
                    break;
                }
                case "split":
                    stack.push(instruction.second, at, at);
                    pc = instruction.first;
                    break;
                case "jump":
                    pc = instruction.to;
                    break;
                case "look": {
                    const from = stepBack(text, at, instruction.behind);
                    alive = from >= 0 && this.run(instruction.program, text, from) >= 0;
                    if (instruction.negative)
                        alive = !alive;
                    pc++;
                    break;
                }
                case "atomic": {
                    const end = this.run(instruction.program, text, at);
                    alive = end >= 0;
                    at = end;
                    pc++;
                    break;
                }
                case "assert":
                    alive = holds(instruction.assertion, text, at);
                    pc++;
                    break;
                case "match":
                    return at;
            }
            if (alive)
                continue;
            if (stack.length === 0)
                return -1;
            // A frame stands for every place from `at` down to `low`.
            const top = stack.length - 3;
            pc = stack[top];
            at = stack[top + 1];
            if (at > stack[top + 2])
                stack[top + 1] = before(text, at);
            else
                stack.length = top;
        }
    }
}
/** Start of the character that ends at `at`. */
function before(text, at) {
    return at >= 2 && unitsAt(text, at - 2) === 2 ? at - 2 : at - 1;
}
function stepBack(text, at, characters) {
    let from = at;
    for (let i = 0; i < characters; i++) {
        if (from <= 0)
            return -1;
        from = before(text, from);
    }
    return from;
}
function holds(assertion, text, at) {
    switch (assertion) {
        case "textStart":
            return at === 0;
        case "textEnd":
            return at === text.length;
        case "textEndOrLastNewline":
            return at === text.length || (at === text.length - 1 && text[at] === "\n");
        case "lineStart":
            return at === 0 || text[at - 1] === "\n";
        case "lineEnd":
            return at === text.length || text[at] === "\n";
        default: {
            const left = at > 0 && patternWordCharacters.has(text.codePointAt(before(text, at)));
            const right = at < text.length && patternWordCharacters.has(text.codePointAt(at));
            return (left !== right) === (assertion === "word");
        }
    }
}
function compile(node, compilation) {
    const program = [];
    emit(node, program, compilation);
    program.push({ op: "match" });
    return program;
}
function emit(node, program, compilation) {
    if (++compilation.instructions > maxInstructions) {
        throw new UnsupportedError("regular expression", compilation.source.slice(0, 200), [
            `at most ${maxInstructions} instructions`,
        ]);
    }
    switch (node.kind) {
        case "set":
            program.push({ op: "set", set: node.set });
            return;
        case "sequence":
            for (const part of node.parts)
                emit(part, program, compilation);
            return;
        case "choice":
            emitChoice(node.options, program, compilation);
            return;
        case "repeat":
            emitRepeat(node, program, compilation);
            return;
        case "look":
            program.push({
                op: "look",
                program: compile(node.body, compilation),
                behind: node.behind ? fixedLength(node.body, compilation.source) : 0,
                negative: node.negative,
            });
            return;
        case "atomic":
            program.push({ op: "atomic", program: compile(node.body, compilation) });
            return;
        case "assert":
            program.push({ op: "assert", assertion: node.assertion });
    }
}
function emitChoice(options, program, compilation) {
    const jumps = [];
    options.forEach((option, index) => {
        if (index === options.length - 1) {
            emit(option, program, compilation);
            return;
        }
        const split = { op: "split", first: program.length + 1, second: 0 };
        program.push(split);
        emit(option, program, compilation);
        const jump = { op: "jump", to: 0 };
        program.push(jump);
        jumps.push(jump);
        split.second = program.length;
    });
    for (const jump of jumps)
        jump.to = program.length;
}
function emitRepeat(node, program, compilation) {
    const { body, min, max, mode } = node;
    if (body.kind === "set" && mode !== "lazy") {
        program.push({ op: "run", set: body.set, min, max, keep: mode === "possessive" });
        return;
    }
    if (mode === "possessive") {
        program.push({ op: "atomic", program: compile({ ...node, mode: "greedy" }, compilation) });
        return;
    }
    for (let i = 0; i < min; i++)
        emit(body, program, compilation);
    const splits = [];
    const optional = max === Number.POSITIVE_INFINITY ? 1 : max - min;
    for (let i = 0; i < optional; i++) {
        const split = { op: "split", first: 0, second: 0 };
        splits.push(split);
        const loop = program.length;
        program.push(split);
        emit(body, program, compilation);
        if (max === Number.POSITIVE_INFINITY)
            program.push({ op: "jump", to: loop });
        if (mode === "greedy")
            split.first = loop + 1;
        else
            split.second = loop + 1;
    }
    for (const split of splits) {
        if (mode === "greedy")
            split.second = program.length;
        else
            split.first = program.length;
    }
}
/** Characters that a lookbehind's body spans. */
function fixedLength(node, source) {
    const refusal = () => new UnsupportedError("lookbehind of varying length in", source.slice(0, 200), ["fixed length"]);
    switch (node.kind) {
        case "set":
            return 1;
        case "sequence":
            return node.parts.reduce((sum, part) => sum + fixedLength(part, source), 0);
        case "choice": {
            const lengths = node.options.map((option) => fixedLength(option, source));
            if (lengths.some((length) => length !== lengths[0]))
                throw refusal();
            return lengths[0];
        }
        case "repeat":
            if (node.min !== node.max)
                throw refusal();
            return node.min * fixedLength(node.body, source);
        case "atomic":
            return fixedLength(node.body, source);
        default:
            return 0;
    }
}
