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

export interface Replayed {
  /** The line of TypeScript that makes the same call. */
  code: string;
  /** The tensors that went in, by the record's names, and what came out. */
  inputs: Record<string, unknown>;
  output: unknown;
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

/** @throws what the engine throws. */
export function replay(record: OpRecord, change: WhatIf, { functional, makeTensor }: ReplayTools): Replayed {
  const attrs: Record<string, unknown> = { ...record.attrs, ...change.attrs };
  const inputs: Record<string, unknown> = {};
  const views = record.inputs as Record<string, TensorView | null>;
  for (const [name, view] of Object.entries(views)) {
    if (!view) continue;
    const { data, shape } = Object.hasOwn(change.values, name) ? change.values[name]! : view;
    inputs[name] = makeTensor(data, [...shape], view.dtype);
  }
  const op = change.op ?? record.op;
  if (op === "conv2d") {
    const options = unlikeDefaults(attrs, CONV_DEFAULTS);
    const { input, weight, bias } = inputs;
    const output = functional.conv2d!(input, weight, bias ? { bias, ...options } : options);
    return { code: callText("conv2d", ["input", "weight"], bias ? ["bias"] : [], options), inputs, output };
  }
  const name = op === "max_pool2d" ? "maxPool2d" : "avgPool2d";
  const { kernelSize, ...rest } = attrs;
  const options = unlikeDefaults(rest, POOL_DEFAULTS);
  for (const key of op === "max_pool2d" ? AVG_ONLY : ["dilation"]) delete options[key];
  const output = functional[name]!(inputs.input, kernelSize, options);
  return { code: callText(name, ["input", literal(kernelSize)], [], options), inputs, output };
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

/** `F.conv2d(input, weight, { bias, stride: 2 })` */
function callText(name: string, positional: string[], named: string[], options: Record<string, unknown>): string {
  const written = [...named, ...Object.entries(options).map(([key, value]) => `${key}: ${literal(value)}`)];
  const last = written.length > 0 ? [`{ ${written.join(", ")} }`] : [];
  return `F.${name}(${[...positional, ...last].join(", ")})`;
}

/** A pair of equal numbers is written as one. */
function literal(value: unknown): string {
  if (!Array.isArray(value)) return JSON.stringify(value);
  return value.every((item) => item === value[0]) ? String(value[0]) : `[${value.join(", ")}]`;
}
