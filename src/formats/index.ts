/** Reading and writing checkpoints: safetensors, GGUF, Hugging Face folders, llama2.c. Runs anywhere. */
export { BlobSource } from "./blob-source.js";
export { type ByteSink, MemorySink } from "./byte-sink.js";
export { type Folder, memoryFolder } from "./folder.js";
export { GgufMetadata } from "./gguf/metadata.js";
export { type GgufFile, readGguf } from "./gguf/read.js";
export type { GgufArray, GgufElementType, GgufNumbers, GgufNumberType, GgufValue } from "./gguf/types.js";
export { type GgufContents, writeGguf } from "./gguf/write.js";
export { type HuggingFaceFolder, type JsonObject, readHuggingFace, tokenizerFileNames } from "./hugging-face/read.js";
export { type HuggingFaceContents, writeHuggingFace } from "./hugging-face/write.js";
export type { Llama2cConfig } from "./llama2c/header.js";
export { type Llama2cFile, readLlama2c } from "./llama2c/read.js";
export { MemorySource } from "./memory-source.js";
export { readSafetensors, type SafetensorsFile } from "./safetensors/read.js";
export { readShardedSafetensors, type ShardOptions, writeShardedSafetensors } from "./safetensors/sharded.js";
export { writeSafetensors } from "./safetensors/write.js";
export { memoryTensor, readTensorBytes, type TensorFile } from "./stored-tensor.js";
export { headBytes, identifyFile, readHead, WrongFileError } from "./wrong-file.js";
