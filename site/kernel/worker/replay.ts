/**
 * A recorded call, made again through the engine's own public function with other attributes or numbers: what a
 * visualizer's controls show is what PyTorch's function answers, its error sentence included.
 */
import type { DTypeName, TypedArray } from "../../../engine/core/dtype.ts";
import type { OpRecord, TensorView } from "../../../engine/inspect/records.ts";
import type { WhatIf } from "../protocol.ts";

type Call = (...args: unknown[]) => unknown;

export interface ReplayTools {
  /** "torch/nn/functional". */
  functional: Record<string, Call>;
  makeTensor(data: TypedArray | number[], shape: number[], dtype: DTypeName): unknown;
}

const CONV_DEFAULTS = { stride: 1, padding: 0, dilation: 1, groups: 1 };
const POOL_DEFAULTS = {
  stride: null,
  padding: 0,
  dilation: 1,
  ceilMode: false,
  countIncludePad: true,
  divisorOverride: null,
};
const AVG_ONLY = ["countIncludePad", "divisorOverride"];

/** @returns the line of TypeScript that makes the same call. @throws what the engine throws. */
export function replay(record: OpRecord, change: WhatIf, { functional, makeTensor }: ReplayTools): { code: string } {
  const attrs: Record<string, unknown> = { ...record.attrs, ...change.attrs };
  const tensorOf = (name: string, view: TensorView): unknown => {
    const changed = Object.hasOwn(change.values, name) ? change.values[name]! : view;
    return makeTensor(changed.data, [...changed.shape], view.dtype);
  };
  const input = tensorOf("input", record.inputs.input);
  if (record.op === "conv2d") {
    const { bias, weight } = record.inputs;
    const options = unlikeDefaults(attrs, CONV_DEFAULTS);
    const withBias = bias ? { bias: tensorOf("bias", bias), ...options } : options;
    functional.conv2d!(input, tensorOf("weight", weight), withBias);
    return { code: callText("conv2d", ["input", "weight"], bias ? { bias: undefined, ...options } : options) };
  }
  const name = record.op === "max_pool2d" ? "maxPool2d" : "avgPool2d";
  const { kernelSize, ...rest } = attrs;
  const options = unlikeDefaults(rest, POOL_DEFAULTS);
  if (record.op === "max_pool2d") for (const key of AVG_ONLY) delete options[key];
  else delete options.dilation;
  functional[name]!(input, kernelSize, options);
  return { code: callText(name, ["input", literal(kernelSize)], options) };
}

function unlikeDefaults(attrs: Record<string, unknown>, defaults: Record<string, unknown>): Record<string, unknown> {
  const kept: Record<string, unknown> = {};
  for (const [name, standard] of Object.entries(defaults)) {
    const value = attrs[name];
    if (value !== undefined && !isStandard(value, standard)) kept[name] = value;
  }
  return kept;
}

function isStandard(value: unknown, standard: unknown): boolean {
  return Array.isArray(value) ? value.every((item) => item === standard) : value === standard;
}

/** Options without a value are written by name alone: `{ bias, stride: 2 }`. */
function callText(name: string, positional: string[], options: Record<string, unknown>): string {
  const written = Object.entries(options).map(([key, value]) => (value === undefined ? key : `${key}: ${literal(value)}`));
  const last = written.length > 0 ? [`{ ${written.join(", ")} }`] : [];
  return `F.${name}(${[...positional, ...last].join(", ")})`;
}

/** A pair of equal numbers is written as one. */
function literal(value: unknown): string {
  if (!Array.isArray(value)) return JSON.stringify(value);
  return value.every((item) => item === value[0]) ? String(value[0]) : `[${value.join(", ")}]`;
}
