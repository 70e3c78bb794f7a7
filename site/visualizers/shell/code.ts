/**
 * The line of code that makes a what-if true, written into the learner's own call: `F.conv2d(input, kernel, { stride: 1 })`
 * keeps its names and gets `{ stride: 2 }`. Text in, text out; no compiler, since only one call's brackets have to be found.
 */
import type { OpRecord } from "../../../engine/inspect/records.ts";
import { literal } from "./tensor.ts";
import { type Edits, type Pair, type Settings, weightFor } from "./whatif.ts";

export interface Rewrite {
  /** The new call alone, and the whole cell with it. */
  code: string;
  source: string;
}

interface Call {
  start: number;
  end: number;
  callee: string;
  args: string[];
}

/** Most numbers that are written out in code when a student has edited them. */
const MOST_NUMBERS = 100;

/** Rewrites the call that made the record, or null where the cell has no such call to find (a layer built elsewhere). */
export function rewriteCall(
  source: string,
  record: OpRecord,
  settings: Settings,
  edits: Edits,
  settingsOfRecord: Settings,
): Rewrite | null {
  const call = findCall(source, record);
  if (!call) return null;
  const isLayer = call.callee.includes("nn.") || /\b(Conv2d|MaxPool2d|AvgPool2d)$/.test(call.callee);
  const args = [...call.args];
  const last = args[args.length - 1];
  const options = last?.startsWith("{") ? parseOptions(args.pop()!) : new Map<string, string>();
  if (options === null) return null;
  const callee = renamed(call.callee, settings.op);
  if (record.op === "conv2d") {
    const weightChanged =
      edits.weight !== null ||
      JSON.stringify(settings.kernel) !== JSON.stringify(settingsOfRecord.kernel) ||
      settings.groups !== settingsOfRecord.groups;
    if (isLayer) {
      if (edits.weight) return null;
      setArgument(args, options, 2, "kernelSize", pairCode(settings.kernel));
    } else if (weightChanged) {
      const weight = weightFor(record, settings, edits.weight);
      if (!weight || weight.data.length > MOST_NUMBERS) return null;
      args[1] = tensorCode(weight.shape, weight.data, record.inputs.weight.dtype);
    }
    setOption(options, "stride", pairCode(settings.stride ?? [1, 1]), "1");
    const { padding } = settings;
    setOption(options, "padding", typeof padding === "string" ? JSON.stringify(padding) : pairCode(padding), "0");
    setOption(options, "dilation", pairCode(settings.dilation), "1");
    setOption(options, "groups", String(settings.groups), "1");
  } else {
    setArgument(args, options, isLayer ? 0 : 1, "kernelSize", pairCode(settings.kernel));
    setOption(options, "stride", settings.stride === null ? "null" : pairCode(settings.stride), "null");
    setOption(options, "padding", typeof settings.padding === "string" ? "0" : pairCode(settings.padding), "0");
    setOption(options, "ceilMode", String(settings.ceilMode), "false");
    const max = settings.op === "max_pool2d";
    setOption(options, "dilation", max ? pairCode(settings.dilation) : "1", "1");
    setOption(options, "countIncludePad", max ? "true" : String(settings.countIncludePad), "true");
    setOption(options, "divisorOverride", max || settings.divisor === null ? "null" : String(settings.divisor), "null");
  }
  if (edits.input) {
    if (isLayer || edits.input.length > MOST_NUMBERS) return null;
    args[0] = tensorCode(record.inputs.input.shape, edits.input, record.inputs.input.dtype);
  }
  if (options.size > 0)
    args.push(`{ ${[...options].map(([key, value]) => (key === value ? key : `${key}: ${value}`)).join(", ")} }`);
  const code = `${callee}(${args.join(", ")})`;
  const before = source.slice(0, call.start);
  // What is copied has to run where it is pasted.
  return { code: /\bnew\s+$/.test(before) ? `new ${code}` : code, source: before + code + source.slice(call.end) };
}

function pairCode(pair: Pair): string {
  return pair[0] === pair[1] ? String(pair[0]) : `[${pair[0]}, ${pair[1]}]`;
}

function tensorCode(shape: number[], data: number[], dtype: string): string {
  const whole = data.every((value) => Number.isInteger(value));
  const inferred = whole ? "int64" : "float32";
  return `torch.tensor(${literal(shape, data)}${dtype === inferred ? "" : `, { dtype: torch.${dtype} }`})`;
}

const FUNCTIONS = { conv2d: "conv2d", max_pool2d: "maxPool2d", avg_pool2d: "avgPool2d" } as const;
const LAYERS = { conv2d: "Conv2d", max_pool2d: "MaxPool2d", avg_pool2d: "AvgPool2d" } as const;

function renamed(callee: string, op: OpRecord["op"]): string {
  return callee.replace(/(maxPool2d|avgPool2d)$/, FUNCTIONS[op]).replace(/(MaxPool2d|AvgPool2d)$/, LAYERS[op]);
}

/** The call on the record's line, else the only construction of such a layer in the cell. */
function findCall(source: string, record: OpRecord): Call | null {
  const starts = [0];
  for (let k = 0; k < source.length; k++) if (source[k] === "\n") starts.push(k + 1);
  const lineStart = starts[record.line - 1];
  if (lineStart !== undefined) {
    const lineEnd = starts[record.line] ?? source.length;
    const match = new RegExp(`(?:[\\w$]+\\.)*${FUNCTIONS[record.op]}\\s*\\(`).exec(source.slice(lineStart, lineEnd));
    if (match) return readCall(source, lineStart + match.index, match[0]);
  }
  const layers = [...source.matchAll(new RegExp(`(?:[\\w$]+\\.)*${LAYERS[record.op]}\\s*\\(`, "g"))];
  return layers.length === 1 ? readCall(source, layers[0]!.index, layers[0]![0]) : null;
}

function readCall(source: string, start: number, opening: string): Call | null {
  const open = start + opening.length;
  const close = closing(source, open);
  if (close === null) return null;
  const callee = opening.slice(0, opening.lastIndexOf("(")).trim();
  return { start, end: close + 1, callee, args: splitTop(source.slice(open, close)) };
}

/** Position of the bracket that closes the one before `from`. */
function closing(text: string, from: number): number | null {
  let depth = 0;
  for (let k = from; k < text.length; k++) {
    const char = text[k]!;
    if (char === '"' || char === "'" || char === "`") {
      const end = text.indexOf(char, k + 1);
      if (end < 0) return null;
      k = end;
    } else if ("([{".includes(char)) depth++;
    else if (")]}".includes(char)) {
      if (depth === 0) return k;
      depth--;
    }
  }
  return null;
}

function splitTop(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quote = "";
  let part = "";
  for (const char of text) {
    if (quote) {
      if (char === quote) quote = "";
    } else if (char === '"' || char === "'" || char === "`") quote = char;
    else if ("([{".includes(char)) depth++;
    else if (")]}".includes(char)) depth--;
    if (char === "," && depth === 0 && !quote) {
      parts.push(part.trim());
      part = "";
    } else part += char;
  }
  if (part.trim()) parts.push(part.trim());
  return parts;
}

/** `{ stride: 1, bias }` as entries in order; null for what this file does not read (spreads, computed keys). */
function parseOptions(text: string): Map<string, string> | null {
  const options = new Map<string, string>();
  for (const entry of splitTop(text.slice(1, -1))) {
    const match = /^([A-Za-z_$][\w$]*)\s*(?::\s*([\s\S]+))?$/.exec(entry);
    if (!match) return null;
    options.set(match[1]!, match[2] ?? match[1]!);
  }
  return options;
}

/** Keeps a key that is written already; writes a new one only where it is not PyTorch's default. */
function setOption(options: Map<string, string>, key: string, value: string, byDefault: string): void {
  const written = options.get(key);
  if (written !== undefined && value === "null") options.delete(key);
  else if (written !== undefined || value !== byDefault) options.set(key, value);
}

function setArgument(args: string[], options: Map<string, string>, index: number, key: string, value: string): void {
  if (options.has(key)) options.set(key, value);
  else if (index < args.length) args[index] = value;
}
