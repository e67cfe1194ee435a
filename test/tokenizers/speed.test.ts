import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readGpt2Files } from "../../src/tokenizers/index.js";
import { describeWithData } from "../data.js";

describeWithData(["tokenizers/gpt2", "text"], "encoding speed", (folder, texts) => {
  test("GPT-2's vocabulary: at least 5 MB of English a second on one core", () => {
    const text = readFileSync(join(texts, "tinystories_sample.txt"), "utf8");
    const tokenizer = readGpt2Files(
      readFileSync(join(folder, "vocab.json"), "utf8"),
      readFileSync(join(folder, "merges.txt"), "utf8"),
    );
    const megabytesPerSecond = Array.from({ length: 7 }, () => {
      const started = process.cpuUsage();
      tokenizer.encode(text);
      return Buffer.byteLength(text) / process.cpuUsage(started).user;
    });
    // Processor time, and the best of several runs: the machine may have other things to do.
    expect(Math.max(...megabytesPerSecond)).toBeGreaterThan(5);
  });
});
