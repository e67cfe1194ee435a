/** Chat templates: messages to one prompt, by the Jinja template that a checkpoint carries. */
import { Template } from "@huggingface/jinja";
import { HithertoError } from "../core/errors.js";
import { rejectUnknownOptions } from "../core/options.js";

/** A chat template is malformed, or refuses these messages (`raise_exception`). */
export class ChatTemplateError extends HithertoError {
  readonly code = "CHAT_TEMPLATE";

  constructor(
    readonly problem: string,
    options?: ErrorOptions,
  ) {
    super(`chat template: ${problem}`, options);
  }
}

/** One message; templates may read further members, such as `tool_calls`. */
export interface ChatMessage {
  readonly role: string;
  readonly content?: unknown;
  readonly [member: string]: unknown;
}

/** What a template may use besides the messages. */
export interface ChatOptions {
  /** End with what opens the assistant's reply. Default true. */
  readonly addGenerationPrompt?: boolean;
  /** Descriptions of the tools the model may call, as JSON schemas. Default none. */
  readonly tools?: readonly object[];
  /** Text of the beginning- and end-of-sequence tokens. Default empty. */
  readonly bosToken?: string;
  readonly eosToken?: string;
  /** Further variables that this template knows, such as `enable_thinking`. Default none. */
  readonly variables?: Readonly<Record<string, unknown>>;
}

/** A template that has been parsed, for rendering many conversations. */
export class ChatTemplate {
  private readonly template: Template;

  /** @throws ChatTemplateError when `source` is not a template. */
  constructor(readonly source: string) {
    try {
      this.template = new Template(source);
    } catch (error) {
      throw new ChatTemplateError(messageOf(error), { cause: error });
    }
  }

  /**
   * The prompt for `messages`. Encode it with `addSpecialTokens: false`: a template writes special tokens itself.
   * @throws ChatTemplateError when the template refuses the messages, UnknownOptionError for an unknown option.
   */
  render(messages: readonly ChatMessage[], options: ChatOptions = {}): string {
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
    } catch (error) {
      throw new ChatTemplateError(messageOf(error), { cause: error });
    }
  }
}

/** `new ChatTemplate(template).render(messages, options)`. */
export function renderChat(template: string, messages: readonly ChatMessage[], options: ChatOptions = {}): string {
  return new ChatTemplate(template).render(messages, options);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
