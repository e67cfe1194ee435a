/** The cases of every operation. */
import type { OperationCases } from "../fixture.js";
import { attentionCases } from "./attention.js";
import { elementwiseCases } from "./elementwise.js";
import { gradientCases } from "./gradients.js";
import { linearCases } from "./linear.js";
import { lossCases } from "./losses.js";
import { normCases } from "./norms.js";
import { productCases } from "./products.js";
import { rowCases } from "./rows.js";
import { sequenceAttentionCases } from "./sequence-attention.js";
import { updateCases } from "./updates.js";

export const allCases: readonly OperationCases[] = [
  ...attentionCases,
  ...elementwiseCases,
  ...gradientCases,
  ...linearCases,
  ...lossCases,
  ...normCases,
  ...productCases,
  ...rowCases,
  ...sequenceAttentionCases,
  ...updateCases,
];
