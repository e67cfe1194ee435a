import { describe, expect, test } from "vitest";
import { UnknownOptionError } from "../core/errors.js";
import { ChatTemplateError, renderChat } from "./chat-template.js";

const chatml =
  "{{ bos_token }}{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n" +
  "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

describe("renderChat", () => {
  test("writes messages as the template says", () => {
    const messages = [
      { role: "system", content: "Be brief." },
      { role: "user", content: "Hello" },
    ];
    expect(renderChat(chatml, messages, { bosToken: "<s>" })).toBe(
      "<s><|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n",
    );
    expect(renderChat(chatml, messages, { addGenerationPrompt: false })).not.toContain("assistant");
  });

  test("hands over tools and variables", () => {
    const template = "{{ tools[0].name }} {{ enable_thinking }} {{ eos_token }}";
    const options = { tools: [{ name: "clock" }], variables: { enable_thinking: false }, eosToken: "</s>" };
    expect(renderChat(template, [], options)).toBe("clock False </s>".replace("False", "false"));
  });

  test("what the template refuses, and what is no template, are errors of one kind", () => {
    const strict = "{{ raise_exception('roles must alternate') }}";
    expect(() => renderChat(strict, [])).toThrow(ChatTemplateError);
    expect(() => renderChat(strict, [])).toThrow(/roles must alternate/);
    expect(() => renderChat("{% for %}", [])).toThrow(ChatTemplateError);
  });

  test("an option that does not exist is an error", () => {
    expect(() => renderChat(chatml, [], { tool: [] } as never)).toThrow(UnknownOptionError);
  });
});
