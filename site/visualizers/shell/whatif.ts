/**
 * Settings that a student tries out, and the change to a recorded call that they make. Whether they are legal is the
 * engine's word; this file only knows a legal neighbour to suggest once the engine has refused.
 */
import type { ConvRecord, OpRecord } from "../../../engine/inspect/records.ts";
import type { WhatIf, WhatIfAnswer } from "../../kernel/protocol.ts";

export type Pair = [number, number];

export interface Settings {
  op: OpRecord["op"];
  kernel: Pair;
  /** null: as PyTorch's None, resolved to the kernel (pooling only). */
  stride: Pair | null;
  padding: Pair | "same" | "valid";
  dilation: Pair;
  groups: number;
  ceilMode: boolean;
  countIncludePad: boolean;
  divisor: number | null;
}

/** Numbers typed over the record's own, dense. */
export interface Edits {
  input: number[] | null;
  weight: number[] | null;
}

export const NO_EDITS: Edits = { input: null, weight: null };

export function settingsOf(record: OpRecord): Settings {
  const { geometry: g } = record;
  const kernel: Pair = [g.kernelH, g.kernelW];
  const plain = { groups: 1, ceilMode: false, countIncludePad: true, divisor: null };
  if (record.op === "conv2d") {
    const { stride, padding, dilation, groups } = record.attrs;
    return { ...plain, op: record.op, kernel, stride, padding, dilation, groups };
  }
  const { stride, padding, dilation, ceilMode, countIncludePad, divisorOverride } = record.attrs;
  return {
    ...plain,
    op: record.op,
    kernel,
    stride,
    padding,
    dilation,
    ceilMode,
    countIncludePad,
    divisor: divisorOverride,
  };
}

export function sameSettings(a: Settings, b: Settings): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** The request that turns the record's call into the tried one; null where nothing differs. */
export function changeOf(record: OpRecord, settings: Settings, edits: Edits): WhatIf | null {
  if (sameSettings(settingsOf(record), settings) && !edits.input && !edits.weight) return null;
  const values: WhatIf["values"] = {};
  if (edits.input) values.input = { shape: record.inputs.input.shape, data: edits.input };
  if (record.op === "conv2d") {
    const weight = weightFor(record, settings, edits.weight);
    if (weight) values.weight = weight;
    const { stride, padding, dilation, groups } = settings;
    return { recordId: record.id, attrs: { stride: stride ?? settings.kernel, padding, dilation, groups }, values };
  }
  const { kernel, stride, padding, dilation, ceilMode, countIncludePad, divisor } = settings;
  const common = { kernelSize: kernel, stride, padding, ceilMode };
  const attrs =
    settings.op === "max_pool2d" ? { ...common, dilation } : { ...common, countIncludePad, divisorOverride: divisor };
  return { recordId: record.id, op: settings.op, attrs, values };
}

/** The record's weight cut or padded with zeros to the tried kernel, its channels repeated or dropped to fit the groups. */
export function weightFor(
  record: ConvRecord,
  settings: Settings,
  edited: number[] | null,
): WhatIf["values"][string] | null {
  const g = record.geometry;
  const [kernelH, kernelW] = settings.kernel;
  const perGroup = g.c / g.groups;
  const wanted = Math.max(1, Math.floor(g.c / Math.max(1, settings.groups)));
  const shape = [g.o, wanted, kernelH, kernelW];
  if (edited && edited.length === shape.reduce((a, b) => a * b, 1)) return { shape, data: edited };
  if (wanted === perGroup && kernelH === g.kernelH && kernelW === g.kernelW) return null;
  const old = record.inputs.weight.data;
  const data: number[] = [];
  for (let o = 0; o < g.o; o++)
    for (let c = 0; c < wanted; c++)
      for (let u = 0; u < kernelH; u++)
        for (let v = 0; v < kernelW; v++) {
          const known = u < g.kernelH && v < g.kernelW;
          data.push(known ? old[((o * perGroup + (c % perGroup)) * g.kernelH + u) * g.kernelW + v]! : 0);
        }
  return { shape, data };
}

/** Why the engine refused, as far as a picture can show it. */
export type Trouble =
  | { kind: "kernel-too-big"; axis: "rows" | "cols"; size: number; padded: number; effective: number }
  | { kind: "padding-too-big"; axis: "rows" | "cols"; padding: number; effective: number }
  | { kind: "groups"; groups: number; channels: number; filters: number }
  | { kind: "same-stride" }
  | { kind: "number"; control: "kernel" | "stride" | "padding" | "dilation" | "divisor" };

export interface Diagnosis {
  trouble: Trouble;
  /** One legal neighbour. */
  suggestion: Settings;
}

/** Finds what is wrong with refused settings and the nearest legal ones; null where this file knows no reason. */
export function diagnose(record: OpRecord, settings: Settings): Diagnosis | null {
  const g = record.geometry;
  const sizes: Pair = [g.h, g.w];
  const stride = settings.stride ?? settings.kernel;
  const broken = (
    control: "kernel" | "stride" | "padding" | "dilation" | "divisor",
    suggestion: Settings,
  ): Diagnosis => ({
    trouble: { kind: "number", control },
    suggestion,
  });
  if (settings.kernel.some((k) => k < 1)) return broken("kernel", { ...settings, kernel: least(settings.kernel, 1) });
  if (stride.some((s) => s < 1)) return broken("stride", { ...settings, stride: least(stride, 1) });
  if (settings.dilation.some((d) => d < 1))
    return broken("dilation", { ...settings, dilation: least(settings.dilation, 1) });
  if (typeof settings.padding !== "string" && settings.padding.some((p) => p < 0))
    return broken("padding", { ...settings, padding: least(settings.padding, 0) });
  if (settings.divisor === 0) return broken("divisor", { ...settings, divisor: null });
  if (record.op === "conv2d") {
    const { c, o } = record.geometry;
    const { groups } = settings;
    if (groups < 1 || c % groups !== 0 || o % groups !== 0) {
      const legal = divisors(c).filter((d) => o % d === 0);
      const nearest = legal.reduce((a, b) => (Math.abs(b - groups) < Math.abs(a - groups) ? b : a));
      return {
        trouble: { kind: "groups", groups, channels: c, filters: o },
        suggestion: { ...settings, groups: nearest },
      };
    }
    if (settings.padding === "same" && stride.some((s) => s > 1))
      return { trouble: { kind: "same-stride" }, suggestion: { ...settings, stride: [1, 1] } };
  }
  const effective = settings.kernel.map((k, axis) => settings.dilation[axis]! * (k - 1) + 1);
  const padding: Pair = typeof settings.padding === "string" ? [0, 0] : settings.padding;
  if (record.op !== "conv2d") {
    const axis = padding.findIndex((p, k) => p > effective[k]! / 2);
    if (axis >= 0) {
      const allowed: Pair = [Math.min(padding[0], effective[0]! >> 1), Math.min(padding[1], effective[1]! >> 1)];
      return {
        trouble: {
          kind: "padding-too-big",
          axis: axisName(axis),
          padding: padding[axis]!,
          effective: effective[axis]!,
        },
        suggestion: { ...settings, padding: allowed },
      };
    }
  }
  const axis = settings.padding === "same" ? -1 : sizes.findIndex((size, k) => size + 2 * padding[k]! < effective[k]!);
  if (axis < 0) return null;
  const fits = (size: number, k: number) => Math.floor((size + 2 * padding[k]! - 1) / settings.dilation[k]!) + 1;
  const kernel: Pair = [Math.min(settings.kernel[0], fits(g.h, 0)), Math.min(settings.kernel[1], fits(g.w, 1))];
  const trouble: Trouble = {
    kind: "kernel-too-big",
    axis: axisName(axis),
    size: sizes[axis]!,
    padded: sizes[axis]! + 2 * padding[axis]!,
    effective: effective[axis]!,
  };
  const enough = (size: number, k: number) => Math.max(padding[k]!, Math.ceil((effective[k]! - size) / 2));
  const padded: Pair = [enough(g.h, 0), enough(g.w, 1)];
  return { trouble, suggestion: record.op === "conv2d" ? { ...settings, padding: padded } : { ...settings, kernel } };
}

function axisName(axis: number): "rows" | "cols" {
  return axis === 0 ? "rows" : "cols";
}

function least(pair: Pair, low: number): Pair {
  return [Math.max(low, pair[0]), Math.max(low, pair[1])];
}

export function divisors(n: number): number[] {
  return Array.from({ length: n }, (_, k) => k + 1).filter((d) => n % d === 0);
}

/** "3" for [3, 3], "3×2" for [3, 2]. */
export function pairText(pair: readonly number[]): string {
  return pair[0] === pair[1] ? String(pair[0]) : `${pair[0]}×${pair[1]}`;
}

/** Settings in the address: only what differs from the record's. */
export function packSettings(settings: Settings, own: Settings): string {
  const parts: string[] = [];
  const pair = (letter: string, a: Pair | null, b: Pair | null) => {
    if (JSON.stringify(a) !== JSON.stringify(b)) parts.push(a === null ? `${letter}n` : `${letter}${a[0]}_${a[1]}`);
  };
  pair("k", settings.kernel, own.kernel);
  pair("s", settings.stride, own.stride);
  if (typeof settings.padding === "string") {
    if (settings.padding !== own.padding) parts.push(settings.padding);
  } else pair("p", settings.padding, typeof own.padding === "string" ? null : own.padding);
  pair("d", settings.dilation, own.dilation);
  if (settings.groups !== own.groups) parts.push(`g${settings.groups}_0`);
  if (settings.op !== own.op) parts.push(settings.op === "avg_pool2d" ? "avg" : "max");
  if (settings.ceilMode !== own.ceilMode) parts.push(settings.ceilMode ? "ceil" : "floor");
  if (settings.countIncludePad !== own.countIncludePad) parts.push(settings.countIncludePad ? "count" : "nocount");
  if (settings.divisor !== own.divisor) parts.push(settings.divisor === null ? "vn" : `v${settings.divisor}_0`);
  return parts.join("~");
}

export function unpackSettings(text: string, own: Settings): Settings {
  const settings: Settings = { ...own };
  for (const part of text.split("~")) {
    const match = /^([kspdgv])(-?\d+)_(-?\d+)$/.exec(part);
    if (match) {
      const pair: Pair = [Number(match[2]), Number(match[3])];
      if (match[1] === "k") settings.kernel = pair;
      else if (match[1] === "s") settings.stride = pair;
      else if (match[1] === "p") settings.padding = pair;
      else if (match[1] === "d") settings.dilation = pair;
      else if (match[1] === "g") settings.groups = pair[0];
      else settings.divisor = pair[0];
    } else if (part === "sn" && own.op !== "conv2d") settings.stride = null;
    else if (part === "vn") settings.divisor = null;
    else if ((part === "same" || part === "valid") && own.op === "conv2d") settings.padding = part;
    else if ((part === "avg" || part === "max") && own.op !== "conv2d")
      settings.op = part === "avg" ? "avg_pool2d" : "max_pool2d";
    else if (part === "ceil" || part === "floor") settings.ceilMode = part === "ceil";
    else if (part === "count" || part === "nocount") settings.countIncludePad = part === "count";
  }
  return settings;
}

/** A what-if that could not even be asked, as an answer. */
export function refusal(error: unknown): WhatIfAnswer {
  const message = error instanceof Error ? error.message : String(error);
  return { ok: false, error: { name: "KernelError", message, hint: null, frames: [], shapes: null, definedIn: null } };
}
