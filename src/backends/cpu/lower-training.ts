/** How the operations of training become instructions. */
import type { NodeLowering } from "./lowering-site.js";

export const trainingLowerings: Readonly<Record<string, NodeLowering>> = {};
