/** The cases of every operation. */
import type { OperationCases } from "../fixture.js";
import { attentionCases } from "./attention.js";
import { elementwiseCases } from "./elementwise.js";
import { linearCases } from "./linear.js";
import { normCases } from "./norms.js";
import { rowCases } from "./rows.js";

export const allCases: readonly OperationCases[] = [
  ...attentionCases,
  ...elementwiseCases,
  ...linearCases,
  ...normCases,
  ...rowCases,
];
