/** Training in Node: with data from files. */
export * from "./index.js";
