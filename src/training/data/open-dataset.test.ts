import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { dataFolder, describeWithData } from "../../../test/data.js";
import { FileNotFoundError, FormatError, InvalidValueError, UnknownOptionError } from "../../core/errors.js";
import { characterTokenizer, readTokenizerJson } from "../../tokenizers/index.js";
import type { Dataset, Example } from "./batch.js";
import type { DataConfig } from "./data-config.js";
import { openDataset } from "./open-dataset.node.js";
import type { SavedTokenizer } from "./saved-tokenizer.js";

const alphabet = "abcdefghijklmnopqrstuvwxyzäöüßéèêà ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,!?'\"-\n";

function characters(text = alphabet): SavedTokenizer {
  return { tokenizer: characterTokenizer(text), files: new Map([["characters", new TextEncoder().encode(text)]]) };
}

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "hitherto-data-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function put(name: string, content: string | Uint8Array): Promise<void> {
  const path = join(folder, name);
  await mkdir(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

const cache = () => join(folder, "cache");
const shards = () => readdirSync(cache()).map((name) => join(cache(), name));

function open(config: object, options: object = {}): Promise<Dataset> {
  return openDataset(config as DataConfig, { tokenizer: characters(), cache: cache(), folder, ...options });
}

/** Everything that a data set learns in its first pass. */
async function learned(data: Dataset, tokenizer = characters().tokenizer): Promise<string[]> {
  const texts: string[] = [];
  for await (const { batch, epoch } of data.batches({ tokens: 4096, contextLength: 4096 }, { seed: 1 })) {
    if (epoch > 0) break;
    const starts = [...batch.positions.keys()].filter((row) => batch.positions[row] === 0);
    starts.forEach((start, index) => {
      const end = starts[index + 1] ?? batch.ids.length;
      const source = batch.source?.ids.slice(batch.cross!.first[start], batch.cross!.end[start]);
      const text = tokenizer.decode(batch.targets.slice(start, end).filter((id) => id >= 0));
      texts.push(source === undefined ? text : `${tokenizer.decode(source)} → ${text}`);
    });
  }
  await data.close();
  return texts.sort();
}

async function heldOutOf(data: Dataset): Promise<Example[]> {
  const examples: Example[] = [];
  for await (const example of data.heldOutExamples()) examples.push(example);
  return examples;
}

describe("formats", () => {
  test("text: a file is a document, and a folder is all its text files, however deep, packed or not", async () => {
    await put("books/one.txt", "one");
    await put("books/deep/two.txt.gz", gzipSync("two"));
    await put("books/picture.png", "no");
    expect(await learned(await open({ kind: "text", files: "books" }))).toEqual(["one", "two"]);
  });

  test.each([
    ["line", "a\r\nb\n\nc", ["a", "b", "c"]],
    ["paragraph", "\na\nb\n\n\nc\n", ["a\nb", "c"]],
    [{ separator: "---" }, "a\n\nb\n---\nc --- d\n---\n", ["a\n\nb", "c --- d"]],
  ])("text divided by %o", async (documents, text, expected) => {
    await put("text.txt", text);
    expect(await learned(await open({ kind: "text", files: "text.txt", documents }))).toEqual(expected);
  });

  test("text is found to be gzip by its content, and letters on the border of two reads stay whole", async () => {
    const text = "äöüßé".repeat(100_000);
    await put("named.txt", gzipSync(text));
    const data = await open({ kind: "text", files: "named.txt", heldOut: { last: 0.1 } });
    const [held] = await heldOutOf(data);
    expect(held.target).toBe(text.slice(450_000));
    expect(data.heldOutBytes).toBe(100_000);
    await data.close();
  });

  test("JSON lines: a named field, and a prompt that is shown only", async () => {
    await put("a.jsonl", '{"body": "one"}\n\n{"body": "two", "question": "q"}\n');
    expect(await learned(await open({ kind: "jsonl", files: "a.jsonl", field: "body" }))).toEqual(["one", "two"]);
    const prompts = open({ kind: "jsonl", files: "a.jsonl", field: "body", promptField: "question" });
    await expect(prompts).rejects.toThrow(/line 1.*question/);
  });

  test("JSON lines of pairs", async () => {
    await put("a.jsonl", '{"en": "go", "fr": "va"}\n');
    const config = { kind: "jsonl-pairs", files: "a.jsonl", sourceField: "en", targetField: "fr" };
    expect(await learned(await open(config))).toEqual(["go → va"]);
  });

  test("parallel files by line, normalized each in its way", async () => {
    await put("a.en.gz", gzipSync("It's me.\nGo\n"));
    await put("a.de", "Ich bin's.\nGeh");
    const normalize = { source: { lowercase: true, moses: "en" }, target: { moses: "de" } };
    const config = { kind: "parallel", source: "a.en.gz", target: "a.de", normalize };
    expect(await learned(await open(config))).toEqual(["go → Geh", "it 's me . → Ich bin ' s ."]);
    await put("a.de", "Nur eine");
    await expect(open(config)).rejects.toThrow(/a\.en\.gz.*line 2/);
  });

  test("columns between tabs", async () => {
    await put("a.txt", "go\tva\tby somebody\nhi\tsalut\tby another\n");
    expect(await learned(await open({ kind: "tsv", files: "a.txt" }))).toEqual(["go → va", "hi → salut"]);
    const reversed = { kind: "tsv", files: "a.txt", sourceColumn: 1, targetColumn: 0 };
    expect(await learned(await open(reversed))).toEqual(["salut → hi", "va → go"]);
    await expect(open({ ...reversed, sourceColumn: 3 })).rejects.toThrow(FormatError);
  });

  test("a pronouncing dictionary, all pronunciations of a word on one side", async () => {
    await put("a.dict", ";;; words\nread R EH D\nread(2) R IY D # present\nred R EH D\n");
    const data = await open({ kind: "cmudict", files: "a.dict", heldOut: { count: 1 } });
    const { trainExamples, heldOutExamples, dropped } = data.summary;
    expect(trainExamples + heldOutExamples + dropped.shared).toBe(3);
    expect(dropped.shared).toBe(trainExamples === 1 ? 1 : 0);
    await data.close();
    expect(await learned(await open({ kind: "cmudict", files: "a.dict" }))).toEqual([
      "read → R EH D",
      "read → R IY D",
      "red → R EH D",
    ]);
  });

  test("rows of digits, sorted: all that there are, the input shown and not learned", async () => {
    const data = await open({ kind: "sort", length: 3, digits: 2, heldOut: { fraction: 0.25 } });
    const { trainExamples, heldOutExamples } = data.summary;
    expect(trainExamples + heldOutExamples).toBe(8);
    const sorted = (await learned(data)).concat((await heldOutOf(data)).map(({ target }) => target));
    expect(sorted.sort()).toEqual(["000", "001", "001", "001", "011", "011", "011", "111"]);
    await expect(open({ kind: "sort", length: 10, digits: 10 })).rejects.toThrow(/4194304/);
  });

  test("held-out files of their own, of both sides of parallel files", async () => {
    for (const name of ["a.en", "a.de", "b.en", "b.de"]) await put(name, name);
    const heldOut = { files: { source: "b.en", target: "b.de" } };
    const data = await open({ kind: "parallel", source: ["a.en"], target: ["a.de"], heldOut });
    expect(await heldOutOf(data)).toEqual([{ source: "b.en", target: "b.de" }]);
    expect(await learned(data)).toEqual(["a.en → a.de"]);
  });

  test("held-out files of their own, without what they share with training", async () => {
    await put("train.txt", "a\tx\nb\ty\nc\tz\n");
    await put("test.txt", "B\tz\n");
    const data = await open({ kind: "tsv", files: "train.txt", heldOut: { files: "test.txt" } });
    expect(await heldOutOf(data)).toEqual([{ source: "B", target: "z" }]);
    expect(data.summary.dropped.shared).toBe(1);
    expect(await learned(data)).toEqual(["a → x", "c → z"]);
  });
});

describe("bad input", () => {
  test("names the file and what is wrong", async () => {
    await put("latin1.txt", Uint8Array.of(0x61, 0xe4, 0x61));
    await put("cut.txt.gz", gzipSync("some text that is long enough to be cut").subarray(0, 30));
    await put("bad.jsonl", "{");
    await put("empty/none.bin", "");
    await expect(open({ kind: "text", files: "latin1.txt" })).rejects.toThrow(/latin1\.txt.*UTF-8/);
    await expect(open({ kind: "text", files: "cut.txt.gz" })).rejects.toThrow(/cut\.txt\.gz.*gzip/);
    await expect(open({ kind: "jsonl", files: "bad.jsonl" })).rejects.toThrow(/bad\.jsonl.*line 1/);
    await expect(open({ kind: "text", files: "none.txt" })).rejects.toThrow(FileNotFoundError);
    await expect(open({ kind: "text", files: "empty" })).rejects.toThrow(InvalidValueError);
    expect(shards()).toEqual([]);
  });

  test.each([
    [{ kind: "csv", files: "a" }, InvalidValueError],
    [{ kind: "text" }, InvalidValueError],
    [{ kind: "text", files: "a", separator: "x" }, UnknownOptionError],
    [{ kind: "text", files: "a", documents: { by: "x" } }, UnknownOptionError],
    [{ kind: "text", files: "a", bucket: 3 }, UnknownOptionError],
    [{ kind: "tsv", files: "a", packing: "windows" }, UnknownOptionError],
    [{ kind: "tsv", files: "a", normalize: { moses: "en" } }, UnknownOptionError],
    [{ kind: "text", files: "a", normalize: { moses: "xx" } }, InvalidValueError],
    [{ kind: "parallel", source: "a", target: "b", heldOut: { files: "c" } }, InvalidValueError],
  ])("configuration %o is refused", async (config, error) => {
    await expect(open(config)).rejects.toThrow(error);
  });
});

describe("shard cache", () => {
  const config = { kind: "text", files: "a.txt", documents: "line" };
  const text = Array.from({ length: 50 }, (_, i) => `line ${i}`).join("\n");
  const read = async (options: object = {}, changed: object = {}) => {
    let tokenized = false;
    const onProgress = () => {
      tokenized = true;
    };
    const data = await open({ ...config, ...changed }, { onProgress, ...options });
    return { texts: await learned(data), tokenized };
  };

  test("tokenizes once; ids read from the file are those in memory", async () => {
    await put("a.txt", text);
    const first = await read();
    const second = await read();
    const memory = await read({ cache: false });
    expect([first.tokenized, second.tokenized, memory.tokenized]).toEqual([true, false, true]);
    expect(first.texts).toEqual([...text.split("\n")].sort());
    expect(second.texts).toEqual(first.texts);
    expect(memory.texts).toEqual(first.texts);
    expect(shards().length).toBe(1);
  });

  test("what changes no id shares a shard, what may change one does not", async () => {
    await put("a.txt", text);
    await read();
    expect((await read({}, { maxLength: 100, heldOut: { fraction: 0.1 }, startId: null })).tokenized).toBe(false);
    await put("b.txt", text);
    expect((await read({}, { files: "b.txt" })).tokenized).toBe(false);
    expect((await read({}, { normalize: { lowercase: true } })).tokenized).toBe(true);
    expect((await read({}, { documents: "paragraph" })).tokenized).toBe(true);
    expect((await read({ tokenizer: characters(`${alphabet}ÄÖÜ`) })).tokenized).toBe(true);
    await put("a.txt", `${text} `);
    expect((await read()).tokenized).toBe(true);
  });

  test("a damaged, cut, longer or foreign shard is made again, whichever byte it is", async () => {
    await put("a.txt", text);
    const { texts } = await read();
    const [path] = shards();
    const good = readFileSync(path);
    const flipped = (at: number) => good.map((byte, index) => (index === at ? byte ^ 1 : byte));
    const damages = [
      ...Array.from({ length: 20 }, (_, i) => flipped(Math.floor((i * good.length) / 20))),
      flipped(good.length - 1),
      good.subarray(0, good.length - 1),
      good.subarray(0, 10),
      new Uint8Array(0),
      Buffer.concat([good, Uint8Array.of(0)]),
    ];
    for (const bytes of damages) {
      writeFileSync(path, bytes);
      expect(await read()).toEqual({ texts, tokenized: true });
    }
    expect(readFileSync(path)).toEqual(good);
  });

  test("the shard of other data under its name is not used", async () => {
    await put("a.txt", text);
    await read();
    const [mine] = shards();
    await put("a.txt", "other");
    await read();
    const other = shards().find((path) => path !== mine)!;
    writeFileSync(other, readFileSync(mine));
    expect(await read()).toEqual({ texts: ["other"], tokenized: true });
  });

  test("stopping leaves nothing, and what others left is removed when it is old", async () => {
    await put("a.txt", text);
    const reason = new Error("enough");
    await expect(read({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const stop = { signal: controller.signal, onProgress: () => controller.abort(reason) };
    await put("a.txt", "x\n".repeat(400_000));
    await expect(read(stop)).rejects.toBe(reason);
    expect(shards()).toEqual([]);

    await put("a.txt", text);
    await read();
    const [path] = shards();
    rmSync(path);
    const [old, young] = [`${path}.1.partial`, `${path}.2.partial`];
    for (const partial of [old, young]) writeFileSync(partial, "half");
    utimesSync(old, 0, 0);
    await read();
    expect(shards().sort()).toEqual([path, young].sort());
  });

  test("ids of large vocabularies have four bytes", async () => {
    const vocab = { ...Object.fromEntries([...alphabet].map((text, id) => [text, id + 70_000])), "<unk>": 69_999 };
    const json = JSON.stringify({
      model: { type: "BPE", vocab, merges: [], unk_token: "<unk>" },
      decoder: { type: "Fuse" },
    });
    const tokenizer = { tokenizer: readTokenizerJson(json), files: new Map([["t", new TextEncoder().encode(json)]]) };
    await put("a.txt", text);
    const data = await open({ ...config, startId: 70_000 }, { tokenizer });
    expect(await learned(data, tokenizer.tokenizer)).toEqual(
      text
        .split("\n")
        .map((line) => line)
        .sort(),
    );
  });
});

const sample = dataFolder("text") ?? "";
describeWithData("text", "real texts", () => {
  test("tinyshakespeare is split as nanoGPT splits it", async () => {
    const path = join(sample, "tinyshakespeare.txt");
    const text = readFileSync(path, "utf8");
    const tokenizer = characters([...new Set(text)].join(""));
    const config = { kind: "text", files: path, packing: "windows", startId: null, endId: null };
    const data = await open({ ...config, heldOut: { last: 0.1 } }, { tokenizer });
    expect([data.trainTokens + 1, data.heldOutTokens + 1]).toEqual([1_003_854, 111_540]);
    const [held] = await heldOutOf(data);
    expect(held.target).toBe(text.slice(1_003_854));
    expect(statSync(shards()[0]).size).toBeLessThan(2.1 * text.length);
    await data.close();
  });
});

describeWithData("parallel", "real pairs", (parallel) => {
  test("of Tatoeba: no source sentence that is held out is learned", async () => {
    const lines = gunzipSync(readFileSync(join(parallel, "tatoeba", "eng-fra.txt.gz")))
      .toString("utf8")
      .split("\n");
    await put("part.txt", lines.slice(0, 5000).join("\n"));
    const data = await open({ kind: "tsv", files: "part.txt", heldOut: { count: 200 } });
    const { trainExamples, heldOutExamples, dropped } = data.summary;
    expect(heldOutExamples).toBe(200);
    expect(trainExamples + heldOutExamples + dropped.shared).toBe(5000);
    expect(dropped.shared).toBeGreaterThan(100);
    const held = new Set((await heldOutOf(data)).map(({ source }) => source.toLowerCase()));
    const sources = lines.slice(0, 5000).map((line) => line.split("\t")[0].toLowerCase());
    expect(sources.filter((source) => !held.has(source)).length).toBe(trainExamples);
    await data.close();
  });
});
