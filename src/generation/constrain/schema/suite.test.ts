/** The official JSON Schema suite, and documents that a model with random weights was made to write. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeWithData } from "../../../../test/data.js";
import { llamaConfig, randomLlama, smallShape } from "../../../../test/support/random-llama.js";
import { storyModel } from "../../../../test/support/tiny-model.js";
import { HithertoError } from "../../../core/errors.js";
import { modelFrom } from "../../../load-model.js";
import { createBackend } from "../../../load-model.node.js";
import { ConfigReader } from "../../../models/config-reader.js";
import type { Model } from "../../model.js";
import { compileConstraint } from "../constraint.js";
import type { JsonSchema } from "./node.js";

const groups = [
  ...["type", "properties", "items", "prefixItems", "enum", "const", "required", "anyOf", "ref", "defs", "anchor"],
  ...["minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "pattern"],
  ...["minItems", "maxItems", "minProperties", "maxProperties", "additionalProperties", "patternProperties", "allOf"],
  ...["boolean_schema", "infinite-loop-detection"],
];
/** Schemas of these groups that need what is not supported, by the start of the error that says so. */
const refusals: Readonly<Record<string, string>> = {
  "remote ref, containing refs itself": "JSON Schema: #/$ref",
  "validate definition against metaschema": "JSON Schema: #/$ref",
  "ref creates new scope when adjacent to keywords": "JSON Schema: #/$defs/A/unevaluatedProperties",
  "additionalProperties with propertyNames": "JSON Schema: #/propertyNames",
  "dependentSchemas with additionalProperties": "JSON Schema: #/dependentSchemas",
  "allOf combined with anyOf, oneOf": "JSON Schema: #/oneOf/0/multipleOf",
};

interface Case {
  readonly description: string;
  readonly schema: JsonSchema;
  readonly tests: readonly { readonly description: string; readonly data: unknown; readonly valid: boolean }[];
}

/** Documents per schema: few where every change is tested; 10,000 in all were made once. */
const samples = Number(process.env.HITHERTO_SAMPLES ?? 1);
const encoder = new TextEncoder();

describeWithData("json-schema-suite", "JSON Schema", (folder) => {
  let stories: Model;
  let model: Model;

  beforeAll(async () => {
    stories = await storyModel();
    const backend = await createBackend();
    const shape = { ...smallShape, vocabSize: stories.config.vocabSize };
    const config = new ConfigReader({ ...llamaConfig(shape), bos_token_id: 0, eos_token_id: stories.endIds[0] });
    const checkpoint = { ...randomLlama(shape), config, tokenizer: stories.parts.tokenizer };
    model = await modelFrom(checkpoint, backend, {}, () => backend.dispose());
  });
  afterAll(async () => {
    await model.dispose();
    await stories.dispose();
  });

  function casesOf(group: string): Case[] {
    const cases = JSON.parse(readFileSync(join(folder, "tests", "draft2020-12", `${group}.json`), "utf8")) as Case[];
    return cases.filter(({ description }) => refusals[description] === undefined);
  }

  /** One document, as the model has it; what is not done after some tokens is completed the shortest way. */
  async function write(schema: JsonSchema, seed: number): Promise<string> {
    using session = await model.session("", { constraint: { jsonSchema: schema }, sampling: { temperature: 2, seed } });
    const prompt = session.length;
    for (let i = 0; i < 40 && !session.constraint!.isComplete; i++) {
      const { token } = await session.step();
      if (model.endIds.includes(token)) break;
    }
    const { state, constraint } = session.constraint!;
    const rest = state.grammar === undefined ? new Uint8Array() : constraint.automaton.completion(state.grammar);
    // The bytes, not the text: the last token may end inside a character.
    const parts = session.tokenIds
      .slice(prompt)
      .map((id, i) => model.tokenizer.tokenBytes(id, { atStart: i === 0 }) ?? new Uint8Array());
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat([...parts, rest]));
  }

  describe.each(groups)("%s", (group) => {
    test("reaches every valid document of the suite, byte by byte and in tokens, and no invalid one", () => {
      for (const { description, schema, tests } of casesOf(group)) {
        const isEmpty = tests.every(({ valid }) => !valid) && isRefusedAsEmpty(schema);
        if (isEmpty) continue;
        const { automaton } = model.constraint({ jsonSchema: schema });
        for (const { data, valid, description: what } of tests) {
          const document = JSON.stringify(data);
          const where = `${description}: ${what}: ${document}`;
          expect(automaton.run(encoder.encode(document))?.mayEnd === true, where).toBe(valid);
          expect(acceptsTokens(schema, document), where).toBe(valid);
        }
      }
    });

    test("lets a model with random weights write nothing but valid documents", async () => {
      for (const { description, schema, tests } of casesOf(group)) {
        if (tests.every(({ valid }) => !valid) && isRefusedAsEmpty(schema)) continue;
        const validate = validatorOf(schema);
        if (validate === undefined) continue;
        for (let seed = 0; seed < samples; seed++) {
          const document = await write(schema, seed);
          const valid = validate(JSON.parse(document));
          expect(valid, `${description}: ${document}: ${JSON.stringify(validate.errors)}`).toBe(true);
        }
      }
    });
  });

  function acceptsTokens(schema: JsonSchema, document: string): boolean {
    const constraint = model.constraint({ jsonSchema: schema });
    let state = constraint.start(true);
    for (const id of model.tokenizer.encode(document, { addSpecialTokens: false })) {
      const allowed = (constraint.mask(state).bits[id >> 5] >>> (id & 31)) & 1;
      const next = constraint.advance(state, id);
      expect(allowed === 1).toBe(next !== undefined);
      if (next === undefined) return false;
      state = next;
    }
    return constraint.mayEnd(state);
  }

  test("what it does not support it refuses, by keyword and place", () => {
    const found: Record<string, string> = {};
    for (const group of groups) {
      const cases = JSON.parse(readFileSync(join(folder, "tests", "draft2020-12", `${group}.json`), "utf8")) as Case[];
      for (const { description, schema } of cases) {
        const refusal = refusalOf(schema);
        if (refusal !== undefined && refusal.code !== "EMPTY_CONSTRAINT") found[description] = refusal.message;
      }
    }
    expect(Object.keys(found).sort()).toEqual(Object.keys(refusals).sort());
    for (const [description, start] of Object.entries(refusals)) expect(found[description]).toContain(`${start}: `);
  });
});

/** Undefined where ajv itself cannot read the schema: three whose `$id`s refer to each other. */
function validatorOf(schema: JsonSchema) {
  try {
    return new Ajv2020({ strict: false, validateFormats: false, ownProperties: true, logger: false }).compile(schema);
  } catch {
    return undefined;
  }
}

function refusalOf(schema: JsonSchema): HithertoError | undefined {
  try {
    compileConstraint({ jsonSchema: schema });
    return undefined;
  } catch (error) {
    if (error instanceof HithertoError) return error;
    throw error;
  }
}

function isRefusedAsEmpty(schema: JsonSchema): boolean {
  return refusalOf(schema)?.code === "EMPTY_CONSTRAINT";
}
