/**
 * GGUF checkpoints in several files, `name-00001-of-00003.gguf` and so on, as llama.cpp's `gguf-split` makes them.
 * The first file has the metadata of the model; each has some of the tensors.
 */
import type { StoredTensor } from "../../core/checkpoint.js";
import { FileNotFoundError, FormatError } from "../../core/errors.js";
import type { Folder } from "../folder.js";
import { type GgufFile, readGguf } from "./read.js";

const partPattern = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/;

/**
 * Opens a GGUF file of a folder, and with it the other parts when it is one of several.
 *
 * @param file - a whole checkpoint, or any of its parts.
 * @returns metadata of the first part, tensors of all.
 * @throws FileNotFoundError naming the part that is absent, FormatError when two parts have one tensor, and as
 *   `readGguf` does.
 */
export async function readSplitGguf(folder: Folder, file: string): Promise<GgufFile> {
  const opened: GgufFile[] = [];
  const close = async () => {
    for (const part of opened) await part.close();
  };
  try {
    for (const part of partsOf(folder, file)) opened.push(await openPart(folder, part));
    const { version, metadata, alignment } = opened[0];
    const tensors = unite(opened, `${folder.name}/${file}`);
    return { version, metadata, alignment, tensors, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

function partsOf(folder: Folder, file: string): string[] {
  const match = partPattern.exec(file);
  const [, name, , count] = match ?? [];
  if (!(Number(count) > 0)) return [file];
  const parts: string[] = [];
  for (let i = 1; i <= Number(count); i++) {
    const part = `${name}-${String(i).padStart(5, "0")}-of-${count}.gguf`;
    if (!folder.files.includes(part))
      throw new FileNotFoundError(`${folder.name}/${part}`, `part ${i} of ${Number(count)}`);
    parts.push(part);
  }
  return parts;
}

async function openPart(folder: Folder, part: string): Promise<GgufFile> {
  const source = await folder.open(part);
  try {
    return await readGguf(source);
  } catch (error) {
    await source.close();
    throw error;
  }
}

function unite(parts: readonly GgufFile[], path: string): Map<string, StoredTensor> {
  const tensors = new Map<string, StoredTensor>();
  for (const tensor of parts.flatMap((part) => [...part.tensors.values()])) {
    if (tensors.has(tensor.name)) {
      throw new FormatError("GGUF", `tensor ${JSON.stringify(tensor.name)} name`, "stands in two parts", path);
    }
    tensors.set(tensor.name, tensor);
  }
  return tensors;
}
