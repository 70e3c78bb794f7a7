/**
 * What a visualizer reads: one record per recorded operation, made while the learner's cell ran. Views never compute an
 * output; they explain these numbers and check their explanation against them.
 */
import type { DTypeName, TypedArray } from "../core/dtype.ts";
import type { ConvGeometry, PoolGeometry } from "../core/window.ts";

/** A tensor as it was at that moment: a dense row-major copy, with the identity of what it was copied from. */
export interface TensorView {
  shape: number[];
  /** Strides, offset, storage and version of the original, to show aliasing; `data` itself is dense. */
  strides: number[];
  offset: number;
  dtype: DTypeName;
  storageId: number;
  version: number;
  data: TypedArray;
  requiresGrad: boolean;
  gradFn: string | null;
}

interface RecordBase {
  /** Unique in the life of the kernel. */
  id: number;
  /** The cell and its 1-based line that made the call; "" and 0 outside cells. */
  cellId: string;
  line: number;
  /** Dotted name of the module whose forward made the call ("conv1"), or "". */
  module: string;
  output: TensorView;
}

export interface ConvRecord extends RecordBase {
  op: "conv2d";
  /** Resolved: stride and the rest as pairs, padding as given beside what it resolved to in the geometry. */
  attrs: {
    stride: [number, number];
    padding: [number, number] | "same" | "valid";
    dilation: [number, number];
    groups: number;
  };
  geometry: ConvGeometry;
  inputs: { input: TensorView; weight: TensorView; bias: TensorView | null };
}

export interface PoolRecord extends RecordBase {
  op: "max_pool2d" | "avg_pool2d";
  attrs: {
    kernelSize: [number, number];
    /** null: not given, resolved to kernelSize in the geometry. */
    stride: [number, number] | null;
    padding: [number, number];
    dilation: [number, number];
    ceilMode: boolean;
    countIncludePad: boolean;
    divisorOverride: number | null;
  };
  geometry: PoolGeometry;
  inputs: { input: TensorView };
  /** max_pool2d only: flat winner positions, kept even where the learner did not ask for them. */
  indices: TensorView | null;
}

export type OpRecord = ConvRecord | PoolRecord;

/** What the page is told of a record before it asks for the numbers. */
export interface RecordSummary {
  id: number;
  op: OpRecord["op"];
  cellId: string;
  line: number;
  module: string;
  inputShape: number[];
  outputShape: number[];
}
