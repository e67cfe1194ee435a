import { parseJson } from "./json-fields.js";
import { maxTokenId } from "./tokenizer-json/model.js";
/** @throws FormatError naming the file and the field that is malformed. */
export function readTokenizerConfig(files) {
    const config = optional(files.tokenizerConfig, "tokenizer_config.json");
    const map = optional(files.specialTokensMap, "special_tokens_map.json");
    const token = (name) => tokenText(config?.get(name)) ?? tokenText(map?.get(name));
    const flag = (name) => {
        const field = config?.get(name);
        return field === undefined || field.absent ? undefined : field.boolean();
    };
    const named = ["bos", "eos", "pad", "unk", "cls", "sep", "mask"].map((role) => token(`${role}_token`));
    const [bosToken, eosToken, padToken, unknownToken, clsToken] = named;
    const specialTokens = [...named, ...additional(config), ...additional(map)].filter((text) => text !== undefined);
    return {
        bosToken,
        eosToken,
        padToken,
        unknownToken,
        clsToken,
        specialTokens,
        addedTokens: addedTokens(config, optional(files.addedTokens, "added_tokens.json"), specialTokens),
        endIds: endIds(optional(files.generationConfig, "generation_config.json")),
        cleanUpSpaces: flag("clean_up_tokenization_spaces") ?? false,
        addBegin: flag("add_bos_token"),
        addEnd: flag("add_eos_token"),
        addPrefixSpace: flag("add_prefix_space"),
        lowercase: flag("do_lower_case"),
        chatTemplate: files.chatTemplate ?? chatTemplate(config?.get("chat_template")),
    };
}
function optional(text, format) {
    return text === undefined ? undefined : parseJson(text, format);
}
/** `"</s>"`, or `{ "content": "</s>", … }`. */
function tokenText(field) {
    if (field === undefined || field.absent)
        return undefined;
    return typeof field.value === "string" ? field.value : field.get("content").string();
}
function additional(file) {
    const field = file?.get("additional_special_tokens");
    return field === undefined || field.absent || !Array.isArray(field.value) ? [] : field.items().map(tokenText);
}
function addedTokens(config, file, specialTokens) {
    const decoder = config?.get("added_tokens_decoder");
    if (decoder !== undefined && !decoder.absent) {
        return decoder.entries().map(([id, field]) => {
            if (!/^\d{1,8}$/.test(id))
                throw field.error("its key is not a token id");
            return {
                id: Number(id),
                content: field.get("content").string(),
                special: field.get("special").boolean(false),
                singleWord: field.get("single_word").boolean(false),
                stripLeft: field.get("lstrip").boolean(false),
                stripRight: field.get("rstrip").boolean(false),
            };
        });
    }
    if (file === undefined)
        return [];
    return file
        .entries()
        .map(([content, id]) => ({ id: id.count(maxTokenId), content, special: specialTokens.includes(content) }));
}
function endIds(config) {
    const field = config?.get("eos_token_id");
    if (field === undefined || field.absent)
        return [];
    return Array.isArray(field.value) ? field.items().map((id) => id.count(maxTokenId)) : [field.count(maxTokenId)];
}
/** One template, or the one named `default` of a list. */
function chatTemplate(field) {
    if (field === undefined || field.absent)
        return undefined;
    if (!Array.isArray(field.value))
        return field.string();
    const templates = field.items();
    const chosen = templates.find((template) => template.get("name").value === "default") ?? templates[0];
    return chosen?.get("template").string();
}
