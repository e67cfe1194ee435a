/** What the commands have in common: help, version, wrong usage, exit codes. */
import { describe, expect, test } from "vitest";
import { runCommand } from "../../test/cli.js";
import { availableBackends } from "../../test/support/backends.js";
import { instructionSets } from "../backends/cpu/instructions.js";
import { nativeInstructionSets } from "../backends/cpu/native-runtime.node.js";
import { NodeWasmHost } from "../backends/cpu/wasm-host.node.js";
import { packageVersion } from "../embedded-models.node.js";

const commands = [
  "generate",
  "translate",
  "inspect",
  "tokenize",
  "eval",
  "score",
  "bench",
  "convert",
  "train",
  "finetune",
  "plot",
];

describe("hitherto", () => {
  test("alone, it shows its help", async () => {
    const result = await runCommand([]);
    expect(result).toMatchObject({ code: 0, stderr: "" });
    for (const command of commands) expect(result.stdout).toContain(`\n  ${command} `);
  });

  test("--version prints the package's version", async () => {
    expect(await runCommand(["--version"])).toEqual({ code: 0, stdout: `${packageVersion()}\n`, stderr: "" });
  });

  test.each(commands)("%s --help names a default or a choice for every flag", async (command) => {
    const { code, stdout } = await runCommand([command, "--help"]);
    expect(code).toBe(0);
    const options = stdout.slice(stdout.indexOf("Options:"), stdout.indexOf("\n\n", stdout.indexOf("Options:")));
    const flags = options.split(/\n {2}(?=-)/).slice(1);
    expect(flags.length).toBeGreaterThan(3);
    for (const flag of flags) if (!flag.includes("--help")) expect(flag).toMatch(/default|required/);
  });

  test.each([
    [["generat"], "unknown command 'generat' (Did you mean generate?)"],
    [["help", "generat"], "unknown command 'generat' (Did you mean generate?)"],
    [["generate", "--topk", "3"], "unknown option '--topk' (Did you mean --top-k?)"],
    [["generate", "two", "words"], "too many arguments for 'generate'. Expected 1 argument but got 2."],
    [["generate", "--top-k"], "option '--top-k <K>' argument missing"],
    [["generate", "--top-k", "0"], '--top-k must be a whole number from 1 on, got "0"'],
    [["generate", "--max-tokens", "1.5"], '--max-tokens must be a whole number from 1 on, got "1.5"'],
    [["generate", "--temperature", "-1"], '--temperature must be a number from 0 on, got "-1"'],
    [["generate", "--temperature", ""], '--temperature must be a number from 0 on, got ""'],
    [["generate", "--top-p", "1.1"], '--top-p must be a number above 0, at most 1, got "1.1"'],
    [["generate", "--min-p", "NaN"], '--min-p must be a number from 0 to 1, got "NaN"'],
    [["generate", "--seed", "0x10"], '--seed must be a whole number from 0 on, got "0x10"'],
    [["generate", "--stop", ""], '--stop must be a text of at least one character, got ""'],
    [["generate", "--backend", "cuda"], '--backend must be one of native, wasm, reference, got "cuda"'],
    [["eval", "--cache-type-k", "q3"], '--cache-type-k must be one of f32, f16, bf16, int8, int4, got "q3"'],
    [["generate", "--draft-tokens", "3"], '--draft-tokens must be with one of --draft, --lookup, got "3"'],
    [["generate", "--draft", "stories", "--lookup"], '--lookup must be without --draft, got "true"'],
    [["generate", "--keep", "3"], '--keep must be with --context-shift, got "3"'],
    [["generate", "--context-shift", "away"], '--context-shift must be one of rotate, recompute, got "away"'],
    [["bench", "--threads", "0"], '--threads must be a whole number from 1 to 64, got "0"'],
    [["eval"], "missing required argument 'file'"],
  ])("%j is wrong usage", async (words, message) => {
    expect(await runCommand(words)).toEqual({ code: 2, stdout: "", stderr: `hitherto: ${message}\n` });
  });

  test("with --json a failure is also an object on standard error", async () => {
    const wrong = await runCommand(["generate", "--top-k", "x", "--json"]);
    const message = '--top-k must be a whole number from 1 on, got "x"';
    expect(wrong.code).toBe(2);
    expect(JSON.parse(wrong.stderr.split("\n")[1]!)).toEqual({ error: { code: "INVALID_FLAG", message } });

    const missing = await runCommand(["inspect", "no/such/model", "--json"]);
    expect(missing).toMatchObject({ code: 1, stdout: "" });
    const [line, json] = missing.stderr.split("\n");
    expect(line).toMatch(/^hitherto: no\/such\/model: not found/);
    expect(JSON.parse(json!).error.code).toBe("FILE_NOT_FOUND");
  });

  test("--instruction-set: its help has every name, and a name that is not present is answered with those that are", async () => {
    const { stdout } = await runCommand(["generate", "--help"]);
    for (const name of instructionSets) expect(stdout).toMatch(new RegExp(`[ ,]${name}[ ,;\\n]`));
    for (const backend of availableBackends) {
      const words = ["generate", "a", "--backend", backend, "--instruction-set", "avx9000", "--json"];
      const { code, stderr } = await runCommand(words);
      expect(code).toBe(1);
      const { error } = JSON.parse(stderr.split("\n")[1]!);
      expect(error.code).toBe("UNSUPPORTED");
      const present = { native: nativeInstructionSets(), wasm: new NodeWasmHost().instructionSets() };
      const names = backend === "reference" ? ["float64"] : present[backend];
      expect(error.message).toMatch(
        new RegExp(`nstruction set "avx9000" is not supported; supported: ${names.join(", ")}$`),
      );
    }
  });

  test("a text after -- is no flag", async () => {
    const result = await runCommand(["inspect", "--", "--json"]);
    expect(result.stderr).toMatch(/^hitherto: --json: not found[^\n]*\n$/);
  });
});
