/** Chat templates: messages to one prompt, by the Jinja template that a checkpoint carries. */
import { Template } from "@huggingface/jinja";
import { HithertoError } from "../core/errors.js";
import { rejectUnknownOptions } from "../core/options.js";
/** A chat template is malformed, or refuses these messages (`raise_exception`). */
export class ChatTemplateError extends HithertoError {
    problem;
    code = "CHAT_TEMPLATE";
    constructor(problem, options) {
        super(`chat template: ${problem}`, options);
        this.problem = problem;
    }
}
/** A template that has been parsed, for rendering many conversations. */
export class ChatTemplate {
    source;
    template;
    /** @throws ChatTemplateError when `source` is not a template. */
    constructor(source) {
        this.source = source;
        try {
            this.template = new Template(source);
        }
        catch (error) {
            throw new ChatTemplateError(messageOf(error), { cause: error });
        }
    }
    /**
     * The prompt for `messages`. Encode it with `addSpecialTokens: false`: a template writes special tokens itself.
     * @throws ChatTemplateError when the template refuses the messages, UnknownOptionError for an unknown option.
     */
    render(messages, options = {}) {
        rejectUnknownOptions(options, ["addGenerationPrompt", "tools", "bosToken", "eosToken", "variables"], "chat");
        try {
            return this.template.render({
                ...options.variables,
                messages,
                add_generation_prompt: options.addGenerationPrompt ?? true,
                ...(options.tools === undefined ? {} : { tools: options.tools }),
                bos_token: options.bosToken ?? "",
                eos_token: options.eosToken ?? "",
            });
        }
        catch (error) {
            throw new ChatTemplateError(messageOf(error), { cause: error });
        }
    }
}
/** `new ChatTemplate(template).render(messages, options)`. */
export function renderChat(template, messages, options = {}) {
    return new ChatTemplate(template).render(messages, options);
}
function messageOf(error) {
    return error instanceof Error ? error.message : String(error);
}
