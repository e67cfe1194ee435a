/** What every conversion is asked for and what it tells on the way. */
import type { StoredTensor } from "../../core/checkpoint.js";
import { UnsupportedError } from "../../core/errors.js";
import { interpret, type OpenedCheckpoint } from "../checkpoint.js";
import type { DecoderOnlyConfig } from "../config.js";
import { watched } from "../lazy-tensors.js";
import type { LoadProgress } from "../load-parameters.js";
import type { ConvertType } from "./storage.js";

export interface ConversionOptions {
  /** Storage type of matrices. Default: as they are, where the target can hold them. */
  readonly type?: ConvertType;
  readonly signal?: AbortSignal;
  /** Called as tensors are written. */
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Called with what a user should know: what was left out, or stored otherwise than asked for. */
  readonly onNotice?: (notice: string) => void;
}

/** @throws UnsupportedError for an encoder-decoder model */
export function decoderOnly(checkpoint: OpenedCheckpoint, target: string): DecoderOnlyConfig {
  const { config } = interpret(checkpoint);
  if (config.kind === "decoder-only") return config;
  throw new UnsupportedError(`converting to ${target} from the family`, config.family, ["decoder-only families"]);
}

/** The same tensors, whose reading is counted and stops when the signal is aborted. */
export function supervised(tensors: readonly StoredTensor[], options: ConversionOptions): StoredTensor[] {
  const totalBytes = tensors.reduce((sum, { byteLength }) => sum + byteLength, 0);
  let loadedBytes = 0;
  return tensors.map((tensor) =>
    watched(tensor, (bytes) => {
      options.signal?.throwIfAborted();
      loadedBytes += bytes;
      options.onProgress?.({ loadedBytes, totalBytes });
    }),
  );
}

/** Some of a list, for a message. */
export function some(names: readonly string[]): string {
  return names.slice(0, 3).join(", ") + (names.length > 3 ? ", …" : "");
}
