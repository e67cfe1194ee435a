import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeWithData } from "../../../test/data.js";
import { readLlama2c } from "./llama2c.js";

describeWithData("llama2c-stories260K", "llama2.c tokenizer", (folder) => {
  const tokenizer = readLlama2c(readFileSync(join(folder, "tok512.bin")));
  const { cases } = JSON.parse(readFileSync(join(folder, "reference.json"), "utf8"));

  test("encodes the reference texts to the reference ids", () => {
    for (const { text, ids_with_bos } of cases) expect([...tokenizer.encode(text)]).toEqual(ids_with_bos);
  });

  test("the published greedy text survives a round trip", () => {
    const text = readFileSync(join(folder, "greedy_200_steps.expected.txt"), "utf8");
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  });

  test("characters outside the vocabulary become bytes, and come back", () => {
    const text = "naïve 😀 日本";
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  });
});
