/** The shapes that speed is measured on: Llama-style decoders with tied embeddings and random weights. */
export interface Shape {
  readonly hiddenSize: number;
  readonly layerCount: number;
  readonly headCount: number;
  readonly keyValueHeadCount: number;
  readonly intermediateSize: number;
  readonly vocabSize: number;
  readonly contextLength: number;
}

export const shapes: Readonly<Record<string, Shape>> = {
  "260K": {
    hiddenSize: 64,
    layerCount: 5,
    headCount: 8,
    keyValueHeadCount: 4,
    intermediateSize: 172,
    vocabSize: 512,
    contextLength: 512,
  },
  "15M": {
    hiddenSize: 288,
    layerCount: 6,
    headCount: 6,
    keyValueHeadCount: 6,
    intermediateSize: 768,
    vocabSize: 32000,
    contextLength: 1024,
  },
  "135M": {
    hiddenSize: 576,
    layerCount: 30,
    headCount: 9,
    keyValueHeadCount: 3,
    intermediateSize: 1536,
    vocabSize: 49152,
    contextLength: 2048,
  },
  "1.1B": {
    hiddenSize: 2048,
    layerCount: 22,
    headCount: 32,
    keyValueHeadCount: 4,
    intermediateSize: 5632,
    vocabSize: 32000,
    contextLength: 2048,
  },
};
