/** The parts of `formats` that need Node: files and folders of the system. */
export { createFileSink } from "./file-sink.node.js";
export { openFileSource } from "./file-source.node.js";
export { createFolder, openFolder } from "./folder.node.js";
export { readGgufFile } from "./gguf-file.node.js";
export { readHuggingFaceFolder, writeHuggingFaceFolder } from "./hugging-face-folder.node.js";
