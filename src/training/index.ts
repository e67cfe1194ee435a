/** Training, where there is no Node: everything but what touches the system's files. */
export type {
  Batch,
  BatchOrder,
  BatchShape,
  DataPosition,
  DataSummary,
  Dataset,
  Example,
  PositionedBatch,
  SequenceRows,
} from "./data/batch.js";
