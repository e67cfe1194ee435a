/** The `post_processor` of a `tokenizer.json`: the ids that surround one sequence. */
import { UnsupportedError } from "../../../core/errors.js";
import { maxTokenId } from "./model.js";
import { components } from "./normalizer.js";
const nothing = { before: [], after: [] };
const maxTemplateIds = 1024;
const readers = {
    TemplateProcessing: readTemplateProcessing,
    ByteLevel: () => nothing,
    BertProcessing: readBertProcessing,
    RobertaProcessing: readBertProcessing,
    Sequence: (field) => components(field, "processors")
        .map(readPostProcessor)
        .reduce((inner, outer) => ({
        before: [...outer.before, ...inner.before],
        after: [...inner.after, ...outer.after],
    }), nothing),
};
/** @throws UnsupportedError naming a type that is not supported, FormatError for a malformed one. */
export function readPostProcessor(field) {
    const type = field.get("type").string();
    const reader = Object.hasOwn(readers, type) ? readers[type] : undefined;
    if (reader === undefined)
        throw new UnsupportedError("post-processor", type, Object.keys(readers));
    return reader(field);
}
function readTemplateProcessing(field) {
    const before = [];
    const after = [];
    let sequences = 0;
    for (const item of field.get("single").items()) {
        if (!item.get("Sequence").absent) {
            if (item.get("Sequence").get("id").string() !== "A" || ++sequences > 1) {
                throw item.error("expected sequence A once");
            }
            continue;
        }
        const name = item.get("SpecialToken").get("id").string();
        const ids = field.get("special_tokens").get(name).get("ids").items();
        for (const id of ids)
            (sequences === 0 ? before : after).push(id.count(maxTokenId));
        if (before.length + after.length > maxTemplateIds)
            throw field.error(`has more than ${maxTemplateIds} ids`);
    }
    if (sequences === 0)
        throw field.get("single").error("does not contain the sequence A");
    return { before, after };
}
/** `"cls": ["[CLS]", 101]` and `"sep"`. */
function readBertProcessing(field) {
    const id = (name) => {
        const pair = field.get(name).items();
        if (pair.length !== 2)
            throw field.get(name).error("expected [token, id]");
        return pair[1].count(maxTokenId);
    };
    return { before: [id("cls")], after: [id("sep")] };
}
