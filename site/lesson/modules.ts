/** The modules a cell may import, and the names that every cell has without importing them. */

/** The public surface of the engine, as engine/public.ts lists it. */
export const COURSE_MODULES: readonly string[] = [
  "torch",
  "torch/nn",
  "torch/nn/functional",
  "torch/optim",
  "torch/optim/lr_scheduler",
  "torch/utils/data",
  "torch/utils/tensorboard",
  "torchvision/datasets",
  "torchvision/transforms",
  "torchvision/utils",
];

/** What the kernel gives to each cell by name. A cell that defines such a name itself keeps its own. */
export const CELL_GLOBALS: readonly string[] = [
  "print",
  "show",
  "tqdm",
  "console",
  "test",
  "equal",
  "close",
  "shapeOf",
  "setTimeout",
  "setInterval",
  "queueMicrotask",
];

/** The same names for the editor's type checker. */
export const CELL_GLOBALS_DTS = `
/** Writes values as Python's print does, to the output of the cell. Tensors are written as PyTorch writes them. */
declare function print(...values: unknown[]): void;
/** Shows a value below the cell: a tensor with its heat map, images, a table, anything else as text. */
declare function show(value: unknown, options?: { label?: string }): void;
/** Goes through an iterable (a DataLoader, an array, a count) with a progress bar, and lets Stop through. */
declare function tqdm<T>(
  iterable: Iterable<T> | AsyncIterable<T>,
  options?: { total?: number; desc?: string },
): AsyncIterable<T> & {
  /** Numbers to show beside the bar: \`bar.setPostfix({ loss: loss.item() })\`. */
  setPostfix(metrics: Record<string, number>): void;
  setDescription(text: string): void;
};
declare function tqdm(count: number, options?: { desc?: string }): AsyncIterable<number> & {
  setPostfix(metrics: Record<string, number>): void;
  setDescription(text: string): void;
};
/** A check of an exercise: passes when the function returns without an error. \`why\` is shown when it fails. */
declare function test(name: string, check: () => unknown, why?: string): Promise<void>;
/** Fails unless both are equal: numbers, strings, shapes, lists, tensors (element for element). */
declare function equal(actual: unknown, expected: unknown, message?: string): void;
/** Fails unless all numbers agree as torch.allclose has it: |a − b| ≤ atol + rtol · |b|. */
declare function close(actual: unknown, expected: unknown, options?: { rtol?: number; atol?: number }): void;
/** The shape of a tensor, or of nested lists, as a plain list. */
declare function shapeOf(value: unknown): number[];
`;

/** Names that JavaScript or the worker provides: a use of one of them asks for no cell. */
export const STANDARD_GLOBALS: ReadonlySet<string> = new Set([
  ...["undefined", "NaN", "Infinity", "globalThis", "self", "isNaN", "isFinite", "parseInt", "parseFloat"],
  ...["encodeURIComponent", "decodeURIComponent", "encodeURI", "decodeURI", "escape", "unescape", "eval"],
  ...[
    "Object",
    "Function",
    "Array",
    "Number",
    "String",
    "Boolean",
    "Symbol",
    "BigInt",
    "Math",
    "JSON",
    "Date",
    "RegExp",
  ],
  ...["Error", "TypeError", "RangeError", "SyntaxError", "ReferenceError", "EvalError", "URIError", "AggregateError"],
  ...["Map", "Set", "WeakMap", "WeakSet", "WeakRef", "FinalizationRegistry", "Promise", "Proxy", "Reflect", "Intl"],
  ...["Iterator", "Atomics", "ArrayBuffer", "SharedArrayBuffer", "DataView", "WebAssembly"],
  ...["Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array"],
  ...["Float16Array", "Float32Array", "Float64Array", "BigInt64Array", "BigUint64Array"],
  ...["clearTimeout", "clearInterval", "structuredClone", "performance", "crypto", "navigator", "atob", "btoa"],
  ...["TextEncoder", "TextDecoder", "URL", "URLSearchParams", "AbortController", "AbortSignal", "DOMException"],
  ...["Event", "EventTarget", "ImageData", "OffscreenCanvas", "Blob"],
]);
