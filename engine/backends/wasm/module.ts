/**
 * The compiled kernels: which of the two builds this runtime can run, where its bytes come from, and the functions it exports.
 * Pointers, pitches and steps are in bytes, strides and sizes in numbers.
 */

export interface WasmExports {
  readonly memory: WebAssembly.Memory;
  readonly heapBase: WebAssembly.Global;
  gemm(
    a: number,
    aRow: number,
    aCol: number,
    b: number,
    bRow: number,
    bCol: number,
    rows: number,
    depth: number,
    cols: number,
    packedA: number,
    packedB: number,
    c: number,
  ): void;
  closeRows(x: number, rows: number, pitch: number, cols: number): void;
  rowTimesColumns(a: number, b: number, step: number, depth: number, cols: number, out: number): void;
  addRowTimesRows(a: number, b: number, step: number, depth: number, cols: number, out: number): void;
  outerProduct(a: number, b: number, rows: number, cols: number, out: number): void;
  packTiles(x: number, rowStride: number, colStride: number, rows: number, depth: number, to: number): void;
  convolve(
    w: number,
    taps: number,
    count: number,
    x: number,
    xPitch: number,
    bias: number,
    rows: number,
    out: number,
    outH: number,
    outW: number,
  ): void;
  addWeightGrad(
    gradOut: number,
    x: number,
    runs: number,
    runCount: number,
    runPitch: number,
    rowStep: number,
    pixelStep: number,
    rows: number,
    outH: number,
    outW: number,
    grad: number,
    pitch: number,
  ): void;
  weightsFromRuns(
    sums: number,
    rows: number,
    channels: number,
    kernelH: number,
    kernelW: number,
    pitch: number,
    rowPitch: number,
    columnPitch: number,
    out: number,
  ): void;
  padPlanes(
    x: number,
    channels: number,
    h: number,
    w: number,
    to: number,
    toStep: number,
    rows: number,
    cols: number,
    strideH: number,
    strideW: number,
    shiftH: number,
    shiftW: number,
  ): void;
  channelsLast(
    x: number,
    channels: number,
    h: number,
    w: number,
    to: number,
    rows: number,
    cols: number,
    padTop: number,
    padLeft: number,
  ): void;
  spreadPlanes(
    x: number,
    channels: number,
    rows: number,
    cols: number,
    to: number,
    h: number,
    w: number,
    strideH: number,
    strideW: number,
  ): void;
  transformKernels(
    x: number,
    kind: number,
    channels: number,
    rows: number,
    inner: number,
    outer: number,
    down: number,
    across: number,
    to: number,
  ): void;
  convolveTiles(
    from: number,
    place: number,
    tiles: number,
    kind: number,
    x: number,
    xPlane: number,
    xPitch: number,
    channels: number,
    kernels: number,
    bias: number,
    rows: number,
    out: number,
    outPlane: number,
    outPitch: number,
    spectra: number,
    products: number,
  ): void;
  addTileProducts(
    from: number,
    place: number,
    tiles: number,
    kind: number,
    x: number,
    xPlane: number,
    xPitch: number,
    channels: number,
    grad: number,
    gradPlane: number,
    gradPitch: number,
    rows: number,
    sums: number,
    images: number,
    gradients: number,
  ): void;
  kernelsFromSpectra(sums: number, kind: number, rows: number, channels: number, out: number): void;
  occupied(x: number, planes: number, cells: number, to: number): number;
  clearWindows(
    map: number,
    h: number,
    w: number,
    top: number,
    left: number,
    taps: number,
    count: number,
    bias: number,
    rows: number,
    out: number,
    outH: number,
    outW: number,
  ): void;
  meetTaps(
    map: number,
    h: number,
    w: number,
    top: number,
    left: number,
    grad: number,
    outH: number,
    outW: number,
    size: number,
    met: number,
  ): number;
  gatherRows(x: number, rowStride: number, table: number, rows: number, count: number, to: number): void;
  unary(op: number, x: number, out: number, count: number): void;
  binary(op: number, a: number, b: number, out: number, count: number): void;
  transpose(x: number, rows: number, cols: number, out: number): void;
  multiplyAdd(a: number, b: number, c: number, out: number, count: number): void;
  compare(op: number, a: number, b: number, out: number, count: number): void;
  select(condition: number, a: number, b: number, out: number, count: number): void;
  allFinite(x: number, count: number): number;
  groupMoments(x: number, runs: number, pitch: number, inner: number, out: number): void;
  rowMoments(x: number, rows: number, n: number, out: number): void;
  normalizeGroup(
    x: number,
    runs: number,
    pitch: number,
    inner: number,
    mean: number,
    scale: number,
    weight: number,
    bias: number,
    step: number,
  ): void;
  normalizeRows(
    x: number,
    rows: number,
    n: number,
    eps: number,
    weight: number,
    bias: number,
    out: number,
    found: number,
  ): void;
  normalizeGroupGrad(
    g: number,
    x: number,
    runs: number,
    pitch: number,
    inner: number,
    mean: number,
    scale: number,
    weight: number,
    step: number,
    given: number,
    wanted: number,
    sums: number,
  ): void;
  normalizeRowsGrad(g: number, x: number, rows: number, n: number, moments: number, weight: number, out: number): void;
  normalizeColumnsGrad(
    g: number,
    x: number,
    rows: number,
    n: number,
    moments: number,
    forWeight: number,
    forBias: number,
  ): void;
  softmaxRows(log: number, x: number, rows: number, n: number, out: number): void;
  softmaxColumns(log: number, x: number, outer: number, n: number, inner: number, out: number): void;
  softmaxGradRows(log: number, y: number, g: number, rows: number, n: number, out: number): void;
  softmaxGradColumns(log: number, y: number, g: number, outer: number, n: number, inner: number, out: number): void;
  logSumRows(x: number, rows: number, n: number, out: number): void;
  logSumColumns(x: number, outer: number, n: number, inner: number, out: number): void;
  reduceRows(op: number, x: number, count: number, length: number, out: number): void;
  reduceColumns(
    op: number,
    x: number,
    n: number,
    width: number,
    pitch: number,
    first: number,
    out: number,
    places: number,
  ): void;
  reduceStacks(
    op: number,
    x: number,
    count: number,
    n: number,
    width: number,
    sums: number,
    places: number,
    out: number,
  ): void;
  maxPoolPlanes(
    x: number,
    count: number,
    h: number,
    w: number,
    kernelH: number,
    kernelW: number,
    strideH: number,
    strideW: number,
    padTop: number,
    padLeft: number,
    dilationH: number,
    dilationW: number,
    outH: number,
    outW: number,
    out: number,
    positions: number,
  ): void;
  maxPoolPairs(
    x: number,
    count: number,
    h: number,
    w: number,
    outH: number,
    outW: number,
    out: number,
    positions: number,
  ): void;
  avgPoolPlanes(
    x: number,
    count: number,
    h: number,
    w: number,
    kernelH: number,
    kernelW: number,
    strideH: number,
    strideW: number,
    padTop: number,
    padLeft: number,
    outH: number,
    outW: number,
    withPadding: number,
    divisor: number,
    out: number,
  ): void;
  avgPoolGradPlanes(
    grad: number,
    count: number,
    h: number,
    w: number,
    kernelH: number,
    kernelW: number,
    strideH: number,
    strideW: number,
    padTop: number,
    padLeft: number,
    outH: number,
    outW: number,
    withPadding: number,
    divisor: number,
    to: number,
  ): void;
  lay(x: number, rows: number, rowStep: number, cols: number, colStep: number, out: number): void;
  within(index: number, count: number, n: number): number;
  selectRows(x: number, outer: number, n: number, inner: number, index: number, m: number, out: number): void;
  addRows(out: number, outer: number, n: number, inner: number, index: number, m: number, source: number): void;
  gather(x: number, outer: number, n: number, inner: number, index: number, m: number, out: number): void;
  scatterAdd(out: number, outer: number, n: number, inner: number, index: number, m: number, source: number): void;
  maxPoolGradPlanes(
    grad: number,
    positions: number,
    count: number,
    inPlane: number,
    outPlane: number,
    to: number,
  ): void;
}

/** `relaxed` multiplies and adds in one instruction; `simd` is for runtimes without relaxed SIMD. */
export type WasmVariant = "relaxed" | "simd";

/** Bytes of one build, or a function that gets the bytes of the build asked for. */
export type WasmSource = BufferSource | ((variant: WasmVariant) => Promise<BufferSource>);

/** A module whose one function ends in the given SIMD instruction; a runtime without that instruction calls it invalid. */
function probe(opcode: readonly number[], operands: number): boolean {
  const splat = [0x43, 0, 0, 0, 0, 0xfd, 0x13]; // f32.const 0, f32x4.splat
  const body = [0x00, ...Array.from({ length: operands }, () => splat).flat(), 0xfd, ...opcode, 0x1a, 0x0b];
  const code = [0x01, body.length, ...body];
  const bytes = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]; // "\0asm", version 1
  bytes.push(0x01, 0x04, 0x01, 0x60, 0x00, 0x00); // type () → ()
  bytes.push(0x03, 0x02, 0x01, 0x00); // one function of that type
  bytes.push(0x0a, code.length, ...code);
  return WebAssembly.validate(new Uint8Array(bytes));
}

/** The build this runtime can run, or null where it has no WebAssembly SIMD. */
export function wasmVariant(): WasmVariant | null {
  if (typeof WebAssembly === "undefined") return null;
  if (!probe([0xe4, 0x01], 2)) return null; // f32x4.add
  return probe([0x85, 0x02], 3) ? "relaxed" : "simd"; // f32x4.relaxed_madd
}

export function wasmFileName(variant: WasmVariant): string {
  return `kernels-${variant}.wasm`;
}

/** Node's file system; null elsewhere. Named by a variable so that bundlers for the browser leave it alone. */
async function fileSystem(): Promise<typeof import("node:fs") | null> {
  if (!globalThis.process?.versions?.node) return null;
  const name = "node:fs";
  return (await import(/* @vite-ignore */ name)) as typeof import("node:fs");
}

/** Looks for the file where `npm run build:wasm` puts it, and beside this module, where `npm run build:engine` does. */
async function readNearby(variant: WasmVariant): Promise<BufferSource> {
  const fs = await fileSystem();
  const here = import.meta.url;
  for (const path of [`./build/${wasmFileName(variant)}`, `./${wasmFileName(variant)}`]) {
    const url = new URL(path, here);
    if (fs && url.protocol === "file:") {
      if (fs.existsSync(url)) return new Uint8Array(fs.readFileSync(url));
    } else {
      const response = await fetch(url).catch(() => null);
      if (response?.ok) return response.arrayBuffer();
    }
  }
  throw new Error(`${wasmFileName(variant)} not found: npm run build:wasm makes it`);
}

/** Compiles the build that fits. */
export async function compileWasm(variant: WasmVariant, source: WasmSource = readNearby): Promise<WebAssembly.Module> {
  return WebAssembly.compile(typeof source === "function" ? await source(variant) : source);
}
