/**
 * Regular expressions as tokenizer files write them (Oniguruma's syntax), read into a tree.
 *
 * JavaScript's own engine is not used on patterns from files: its syntax and its classes differ (`(?i:`, possessive
 * quantifiers, `\s`), and a hostile pattern can make it run for years. What this reader does not know it refuses.
 */
import { UnsupportedError } from "../../core/errors.js";
import { CodePointSet, decimalDigits, patternWordCharacters, propertySet, unitsAt, whitespace, } from "../text/code-points.js";
const maxLength = 4096;
const maxDepth = 40;
const maxRepeat = 1000;
const supportedSyntax = [
    "literals, classes, groups, alternation, quantifiers, lookaround of fixed length, and (?i:…), as Oniguruma has them",
];
/**
 * Reads `source`.
 * @throws UnsupportedError naming the pattern when it has syntax outside the supported part, or none at all.
 */
export function parsePattern(source) {
    return new PatternReader(source).read();
}
const controlEscapes = { n: 10, r: 13, t: 9, f: 12, v: 11, a: 7, e: 27, "0": 0 };
const hexDigits = new CodePointSet((c) => /^[0-9a-fA-F]$/.test(String.fromCodePoint(c)));
const posixClasses = {
    alpha: (c) => propertySet("Alphabetic").has(c),
    digit: (c) => decimalDigits.has(c),
    alnum: (c) => propertySet("Alphabetic").has(c) || decimalDigits.has(c),
    upper: (c) => propertySet("Uppercase").has(c),
    lower: (c) => propertySet("Lowercase").has(c),
    space: (c) => whitespace.has(c),
    punct: (c) => propertySet("P").has(c) || propertySet("S").has(c),
    cntrl: (c) => propertySet("Cc").has(c),
    word: (c) => patternWordCharacters.has(c) && !propertySet("No").has(c),
    xdigit: (c) => hexDigits.has(c),
};
/** Recursive descent over one pattern. */
class PatternReader {
    source;
    at = 0;
    depth = 0;
    ignoreCase = false;
    constructor(source) {
        this.source = source;
    }
    read() {
        if (this.source.length > maxLength)
            throw this.refusal();
        const node = this.choice();
        if (this.at < this.source.length)
            throw this.refusal();
        return node;
    }
    choice() {
        if (++this.depth > maxDepth)
            throw this.refusal();
        const ignoreCase = this.ignoreCase;
        const options = [this.sequence()];
        while (this.take("|"))
            options.push(this.sequence());
        this.ignoreCase = ignoreCase;
        this.depth--;
        return options.length === 1 ? options[0] : { kind: "choice", options };
    }
    sequence() {
        const parts = [];
        while (this.at < this.source.length && !"|)".includes(this.source[this.at])) {
            const atom = this.atom();
            if (atom !== undefined)
                parts.push(this.quantified(atom));
        }
        return parts.length === 1 ? parts[0] : { kind: "sequence", parts };
    }
    quantified(atom) {
        let node = atom;
        for (;;) {
            const counts = this.counts();
            if (counts === undefined)
                return node;
            if (node.kind === "assert" || node.kind === "look" || isNullable(node))
                throw this.refusal();
            const braces = this.source[this.at - 1] === "}";
            const mode = this.take("?") ? "lazy" : !braces && this.take("+") ? "possessive" : "greedy";
            node = { kind: "repeat", body: node, min: counts[0], max: counts[1], mode };
            // Oniguruma reads `{n,m}+` as a repeat of the repeat; everything that tokenizers publish means possessive.
            if (braces && mode === "greedy" && this.take("+"))
                node = { ...node, mode: "possessive" };
        }
    }
    /** Reads a quantifier without its mode; `undefined` when there is none. */
    counts() {
        if (this.take("*"))
            return [0, Number.POSITIVE_INFINITY];
        if (this.take("+"))
            return [1, Number.POSITIVE_INFINITY];
        if (this.take("?"))
            return [0, 1];
        const braces = /^\{(\d{0,4})(,?)(\d{0,4})\}/.exec(this.source.slice(this.at, this.at + 16));
        if (braces === null || (braces[1] === "" && braces[3] === ""))
            return undefined;
        this.at += braces[0].length;
        const min = braces[1] === "" ? 0 : Number(braces[1]);
        const open = braces[3] === "" ? Number.POSITIVE_INFINITY : Number(braces[3]);
        const max = braces[2] === "" ? min : open;
        if (min > max || min > maxRepeat || (max > maxRepeat && max !== Number.POSITIVE_INFINITY))
            throw this.refusal();
        return [min, max];
    }
    /** Reads one atom; `undefined` for something that matches nothing by itself, such as `(?i)`. */
    atom() {
        if (this.take("("))
            return this.group();
        if (this.take("["))
            return this.cased(this.characterClass());
        if (this.take("."))
            return { kind: "set", set: new CodePointSet((c) => c !== 10) };
        if (this.take("^"))
            return { kind: "assert", assertion: "lineStart" };
        if (this.take("$"))
            return { kind: "assert", assertion: "lineEnd" };
        if (this.take("\\"))
            return this.escape();
        if ("*+?".includes(this.source[this.at]))
            throw this.refusal();
        return this.literal(this.codePoint());
    }
    group() {
        if (!this.take("?"))
            return this.closed();
        if (this.take(":"))
            return this.closed();
        if (this.take(">"))
            return { kind: "atomic", body: this.closed() };
        if (this.take("="))
            return { kind: "look", behind: false, negative: false, body: this.closed() };
        if (this.take("!"))
            return { kind: "look", behind: false, negative: true, body: this.closed() };
        if (this.take("<="))
            return { kind: "look", behind: true, negative: false, body: this.closed() };
        if (this.take("<!"))
            return { kind: "look", behind: true, negative: true, body: this.closed() };
        const name = /^P?<[A-Za-z_]\w{0,63}>/.exec(this.source.slice(this.at, this.at + 68));
        if (name !== null) {
            this.at += name[0].length;
            return this.closed();
        }
        const on = this.source[this.at] !== "-";
        if (!on)
            this.at++;
        if (!this.take("i"))
            throw this.refusal();
        if (this.take(")")) {
            this.ignoreCase = on;
            return undefined;
        }
        if (!this.take(":"))
            throw this.refusal();
        const outside = this.ignoreCase;
        this.ignoreCase = on;
        const body = this.closed();
        this.ignoreCase = outside;
        return body;
    }
    closed() {
        const body = this.choice();
        if (!this.take(")"))
            throw this.refusal();
        return body;
    }
    escape() {
        const assertions = {
            A: "textStart",
            z: "textEnd",
            Z: "textEndOrLastNewline",
            b: "word",
            B: "notWord",
        };
        const assertion = assertions[this.source[this.at]];
        if (assertion !== undefined) {
            this.at++;
            return { kind: "assert", assertion };
        }
        const set = this.escapedSet();
        return set === undefined ? this.literal(this.escapedCodePoint()) : { kind: "set", set };
    }
    /** Reads `\s`, `\p{L}` and their like, after the backslash; `undefined` when it is a single character. */
    escapedSet() {
        const letter = this.source[this.at];
        const sets = {
            s: whitespace,
            d: decimalDigits,
            w: patternWordCharacters,
            h: hexDigits,
        };
        const known = sets[letter?.toLowerCase()];
        if (known !== undefined) {
            this.at++;
            return letter === letter.toLowerCase() ? known : complement(known);
        }
        if (letter !== "p" && letter !== "P")
            return undefined;
        const braces = /^[pP](?:\{(\^?)([A-Za-z0-9_= ]{1,64})\}|([A-Z]))/.exec(this.source.slice(this.at, this.at + 70));
        const set = braces === null ? undefined : propertySet((braces[2] ?? braces[3]).replaceAll(" ", "_"));
        if (braces === null || set === undefined)
            throw this.refusal();
        this.at += braces[0].length;
        return (letter === "P") !== (braces[1] === "^") ? complement(set) : set;
    }
    escapedCodePoint() {
        const hex = /^(?:x\{([0-9a-fA-F]{1,6})\}|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))/.exec(this.source.slice(this.at, this.at + 9));
        if (hex !== null) {
            this.at += hex[0].length;
            const value = Number.parseInt(hex[1] ?? hex[2] ?? hex[3], 16);
            if (value > 0x10ffff)
                throw this.refusal();
            return value;
        }
        const control = controlEscapes[this.source[this.at]];
        if (control !== undefined) {
            this.at++;
            return control;
        }
        if (this.at >= this.source.length || /[A-Za-z0-9]/.test(this.source[this.at]))
            throw this.refusal();
        return this.codePoint();
    }
    codePoint() {
        const value = this.source.codePointAt(this.at);
        this.at += unitsAt(this.source, this.at);
        return value;
    }
    literal(codePoint) {
        return this.cased(new CodePointSet((c) => c === codePoint));
    }
    /** Widens a set to the other cases of its members, inside `(?i:…)`. */
    cased(set) {
        if (!this.ignoreCase)
            return { kind: "set", set };
        return { kind: "set", set: new CodePointSet((c) => caseVariants(c).some((variant) => set.has(variant))) };
    }
    /** Reads a class after its `[`, nested classes and `&&` included. */
    characterClass() {
        if (++this.depth > maxDepth)
            throw this.refusal();
        const negative = this.take("^");
        const intersected = [];
        let members = [];
        for (let first = true; first || this.source[this.at] !== "]"; first = false) {
            if (this.at >= this.source.length)
                throw this.refusal();
            if (this.take("&&")) {
                intersected.push(union(members));
                members = [];
            }
            else {
                members.push(this.classMember());
            }
        }
        this.at++;
        this.depth--;
        intersected.push(union(members));
        const set = intersected.length === 1 ? intersected[0] : intersection(intersected);
        return negative ? complement(set) : set;
    }
    classMember() {
        const posix = /^\[:(\^?)([a-z]{1,6}):\]/.exec(this.source.slice(this.at, this.at + 12));
        if (posix !== null) {
            const contains = posixClasses[posix[2]];
            if (contains === undefined)
                throw this.refusal();
            this.at += posix[0].length;
            const set = new CodePointSet(contains);
            return posix[1] === "^" ? complement(set) : set;
        }
        if (this.take("["))
            return this.characterClass();
        const escaped = this.source[this.at] === "\\";
        if (escaped) {
            this.at++;
            const set = this.escapedSet();
            if (set !== undefined)
                return set;
        }
        const low = escaped ? this.escapedCodePoint() : this.codePoint();
        if (this.source[this.at] !== "-" || this.source[this.at + 1] === "]" || this.source[this.at + 1] === undefined) {
            return new CodePointSet((c) => c === low);
        }
        this.at++;
        const high = this.take("\\") ? this.escapedCodePoint() : this.codePoint();
        if (high < low)
            throw this.refusal();
        return new CodePointSet((c) => c >= low && c <= high);
    }
    take(text) {
        if (!this.source.startsWith(text, this.at))
            return false;
        this.at += text.length;
        return true;
    }
    refusal() {
        const shown = this.source.length > 200 ? `${this.source.slice(0, 200)}…` : this.source;
        return new UnsupportedError(`regular expression (at character ${this.at})`, shown, supportedSyntax);
    }
}
/** Whether a node can match the empty text; repeats of such nodes are refused. */
export function isNullable(node) {
    switch (node.kind) {
        case "set":
            return false;
        case "sequence":
            return node.parts.every(isNullable);
        case "choice":
            return node.options.some(isNullable);
        case "repeat":
            return node.min === 0 || isNullable(node.body);
        case "atomic":
            return isNullable(node.body);
        default:
            return true;
    }
}
function complement(set) {
    return new CodePointSet((c) => !set.has(c));
}
function union(sets) {
    return sets.length === 1 ? sets[0] : new CodePointSet((c) => sets.some((set) => set.has(c)));
}
function intersection(sets) {
    return new CodePointSet((c) => sets.every((set) => set.has(c)));
}
/** The code point itself and its simple case variants: K, k and the Kelvin sign. */
function caseVariants(codePoint) {
    const text = String.fromCodePoint(codePoint);
    const variants = new Set([codePoint]);
    for (const variant of [text.toLowerCase(), text.toUpperCase(), text.toUpperCase().toLowerCase()]) {
        const value = variant.codePointAt(0);
        if (unitsAt(variant, 0) === variant.length)
            variants.add(value);
    }
    if (text.toLowerCase() === "s")
        variants.add(0x17f);
    if (text.toLowerCase() === "k")
        variants.add(0x212a);
    return [...variants];
}
