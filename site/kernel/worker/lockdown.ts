/**
 * Before any cell runs: what a cell has no business with is taken from the worker, and JavaScript's own objects are made
 * unchangeable, so that a cell which replaces `Array.prototype.push` or `Map` cannot reach into the kernel, which uses them
 * too. The sandbox around the worker is the wall (opaque origin, no network by its policy); this is the lock on the door.
 */

/** Everything else on the global object goes. Names that start with GPU stay as well. */
const KEPT = new Set([
  ...["globalThis", "self", "undefined", "NaN", "Infinity", "isNaN", "isFinite", "parseInt", "parseFloat", "eval"],
  ...["encodeURIComponent", "decodeURIComponent", "encodeURI", "decodeURI", "escape", "unescape"],
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
  ...["SuppressedError", "DisposableStack", "AsyncDisposableStack", "Temporal"],
  ...["Map", "Set", "WeakMap", "WeakSet", "WeakRef", "FinalizationRegistry", "Promise", "Proxy", "Reflect", "Intl"],
  ...["Iterator", "AsyncIterator", "Atomics", "ArrayBuffer", "DataView", "WebAssembly"],
  ...["Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array"],
  ...["Float16Array", "Float32Array", "Float64Array", "BigInt64Array", "BigUint64Array"],
  ...["setTimeout", "clearTimeout", "setInterval", "clearInterval", "queueMicrotask", "structuredClone"],
  ...["requestAnimationFrame", "cancelAnimationFrame", "console", "performance", "crypto", "navigator", "atob", "btoa"],
  ...[
    "Performance",
    "Crypto",
    "SubtleCrypto",
    "CryptoKey",
    "WorkerNavigator",
    "isSecureContext",
    "crossOriginIsolated",
  ],
  ...["TextEncoder", "TextDecoder", "URL", "URLSearchParams", "Blob", "File", "ImageData", "OffscreenCanvas"],
  ...["OffscreenCanvasRenderingContext2D", "ImageBitmap", "createImageBitmap"],
  ...["AbortController", "AbortSignal", "DOMException", "Event", "ErrorEvent", "PromiseRejectionEvent", "CustomEvent"],
  ...["EventTarget", "addEventListener", "removeEventListener", "dispatchEvent", "reportError", "onerror"],
  ...["onunhandledrejection", "onrejectionhandled", "WorkerGlobalScope", "DedicatedWorkerGlobalScope", "Worklet"],
  ...["CompressionStream", "DecompressionStream", "ReadableStream", "WritableStream", "TransformStream"],
  // A loader gives way to the event loop through a channel of its own.
  ...["MessageChannel", "MessagePort", "MessageEvent"],
]);

/** A cell must be able to shadow what it inherits from these by assignment: `this.name = …` in an error class of its own. */
const NOT_FROZEN = new Set([
  "Error",
  "TypeError",
  "RangeError",
  "SyntaxError",
  "ReferenceError",
  "EvalError",
  "URIError",
  "AggregateError",
  "SuppressedError",
]);

export function removeCapabilities(scope: object): void {
  for (
    let owner: object | null = scope;
    owner && owner !== Object.prototype;
    owner = Object.getPrototypeOf(owner) as object | null
  ) {
    if (owner === EventTarget.prototype) continue;
    for (const key of Object.getOwnPropertyNames(owner)) {
      if (key === "constructor" || KEPT.has(key) || key.startsWith("GPU")) continue;
      if (!Reflect.deleteProperty(owner, key)) hide(owner, key);
    }
  }
}

function hide(owner: object, key: string): void {
  try {
    Object.defineProperty(owner, key, { value: undefined, writable: false });
  } catch {
    // Not configurable and not writable: nothing a cell could be given by it (`Infinity` and the like).
  }
}

/**
 * Makes JavaScript's own objects, and their names on the global object, unchangeable.
 *
 * By freezing, not by defining each property anew: measured in Chromium 156, that made `for … of` and `push` ten times
 * slower, while after freezing they, spreading and destructuring are as fast as before. Only a store into a hole of an array
 * costs more (45 ns instead of 1): the engine's numbers live in typed arrays.
 */
export function freezeIntrinsics(scope: object): void {
  Object.defineProperty(Error, "stackTraceLimit", { value: 60, writable: false, configurable: false });
  // V8 would call this with the kernel's own frames.
  Object.defineProperty(Error, "prepareStackTrace", { value: undefined, writable: false, configurable: false });

  const seen = new Set<object>([Object.prototype, Error.prototype]);
  const freeze = (value: unknown): void => {
    if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value)) return;
    seen.add(value);
    for (const key of Reflect.ownKeys(value)) {
      const property = Reflect.getOwnPropertyDescriptor(value, key)!;
      freeze(property.value);
      freeze(property.get);
      freeze(property.set);
    }
    freeze(Object.getPrototypeOf(value));
    // Typed arrays and the like cannot be frozen; none is reachable here.
    Object.freeze(value);
  };

  for (const key of Object.getOwnPropertyNames(scope)) {
    const property = Object.getOwnPropertyDescriptor(scope, key)!;
    const { value } = property;
    if (typeof value !== "function" && !["Math", "JSON", "Reflect", "Intl", "Atomics", "WebAssembly"].includes(key))
      continue;
    if (NOT_FROZEN.has(key)) seen.add((value as { prototype: object }).prototype);
    if (property.configurable) Object.defineProperty(scope, key, { value, writable: false, configurable: false });
  }
  for (const key of Object.getOwnPropertyNames(scope)) {
    const { value } = Object.getOwnPropertyDescriptor(scope, key)!;
    if (typeof value === "function" || ["Math", "JSON", "Reflect", "Intl", "Atomics", "WebAssembly"].includes(key))
      freeze(value);
  }
  const hidden = [
    [][Symbol.iterator](),
    new Map()[Symbol.iterator](),
    new Set()[Symbol.iterator](),
    ""[Symbol.iterator](),
    "".matchAll(/./g),
    (function* () {})(),
    (async function* () {})(),
  ];
  for (const iterator of hidden) freeze(Object.getPrototypeOf(iterator));
  freeze((async () => {}).constructor);
  freeze(function* () {}.constructor);
  freeze(async function* () {}.constructor);
  // Properties of these stay assignable, since objects that inherit from them assign to the same names; none can be added.
  for (const owner of [Object.prototype, Error.prototype]) Object.preventExtensions(owner);
  for (const key of [
    "__defineGetter__",
    "__defineSetter__",
    "__lookupGetter__",
    "__lookupSetter__",
    "__proto__",
    "hasOwnProperty",
    "isPrototypeOf",
    "propertyIsEnumerable",
  ]) {
    Object.defineProperty(Object.prototype, key, {
      configurable: false,
      ...("value" in Object.getOwnPropertyDescriptor(Object.prototype, key)! ? { writable: false } : {}),
    });
  }
}
