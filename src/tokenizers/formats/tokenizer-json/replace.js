/** `Replace`, which normalizers and decoders share, and how much longer it may make a text. */
import { UnsupportedError } from "../../../core/errors.js";
import { Pattern } from "../../pattern/pattern.js";
import { matcherFor } from "../../pattern/scanners.js";
const maxGrowth = 1024;
/** @throws UnsupportedError for a regular expression outside the supported syntax. */
export function readReplacement(field) {
    const content = field.get("content").string();
    const pattern = field.get("pattern");
    if (!pattern.get("String").absent) {
        const growth = Math.max(1, content.length);
        return { pattern: { kind: "text", text: pattern.get("String").string() }, content, growth };
    }
    const matcher = matcherFor(pattern.get("Regex").string());
    const between = matcher instanceof Pattern && matcher.matchesEmpty ? 1 : 0;
    return { pattern: { kind: "regex", matcher }, content, growth: Math.max(1, content.length + between) };
}
/**
 * Refuses components that together could make a text more than 1024 times as long: each by itself is harmless, but
 * a file may hold many of them.
 */
export function limitGrowth(components) {
    let growth = 1;
    for (const component of components) {
        if (component.get("type").value === "Replace")
            growth *= readReplacement(component).growth;
        if (growth > maxGrowth) {
            throw new UnsupportedError("growth of text by Replace", `${growth} times`, [`at most ${maxGrowth} times`]);
        }
    }
}
