/** The post-processor of a `tokenizer.json` that puts special tokens around a text. */

export interface SpecialToken {
  readonly text: string;
  readonly id: number;
}

/** @returns null where there is nothing to put around */
export function templateProcessing(before: readonly SpecialToken[], after: readonly SpecialToken[]): object | null {
  if (before.length + after.length === 0) return null;
  const tokens = (list: readonly SpecialToken[], type: number) =>
    list.map(({ text }) => ({ SpecialToken: { id: text, type_id: type } }));
  const around = (name: string, type: number) => [
    ...tokens(before, type),
    { Sequence: { id: name, type_id: type } },
    ...tokens(after, type),
  ];
  return {
    type: "TemplateProcessing",
    single: around("A", 0),
    pair: [...around("A", 0), ...around("B", 1)],
    special_tokens: Object.fromEntries(
      [...before, ...after].map(({ id, text }) => [text, { id: text, ids: [id], tokens: [text] }]),
    ),
  };
}
