/**
 * ONNX graphs of the benchmarked work, written byte by byte: the format is protocol buffers of a few message types.
 * https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
import { chapterWeights, GEMMS, PLANES, type WorkName } from "./works.ts";

type Bytes = number[];

function varint(value: number): Bytes {
  const out: Bytes = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return [...out, left];
    out.push((left % 128) + 128);
  }
}

const integer = (field: number, value: number): Bytes => [...varint(field * 8), ...varint(value)];
const bytes = (field: number, content: Iterable<number>): Bytes => {
  const list = [...content];
  return [...varint(field * 8 + 2), ...varint(list.length), ...list];
};
const text = (field: number, value: string): Bytes => bytes(field, new TextEncoder().encode(value));

const FLOAT = 1;

function tensor(name: string, shape: readonly number[], data: Float32Array): Bytes {
  const raw = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return [...shape.flatMap((n) => integer(1, n)), ...integer(2, FLOAT), ...text(8, name), ...bytes(9, raw)];
}

function value(name: string, shape: readonly number[]): Bytes {
  const dims = shape.flatMap((n) => bytes(1, integer(1, n)));
  return [...text(1, name), ...bytes(2, bytes(1, [...integer(1, FLOAT), ...bytes(2, dims)]))];
}

const INTS = 7;
const INT = 2;

function node(op: string, inputs: string[], output: string, attributes: Record<string, number | number[]> = {}): Bytes {
  return [
    ...inputs.flatMap((name) => text(1, name)),
    ...text(2, output),
    ...text(4, op),
    ...Object.entries(attributes).flatMap(([name, given]) =>
      bytes(5, [
        ...text(1, name),
        ...(Array.isArray(given) ? given.flatMap((n) => integer(8, n)) : integer(3, given)),
        ...integer(20, Array.isArray(given) ? INTS : INT),
      ]),
    ),
  ];
}

function model(nodes: Bytes[], constants: Bytes[], inputs: Bytes[], output: Bytes): Uint8Array {
  const graph = [
    ...nodes.flatMap((one) => bytes(1, one)),
    ...text(2, "work"),
    ...constants.flatMap((one) => bytes(5, one)),
    ...inputs.flatMap((one) => bytes(11, one)),
    ...bytes(12, output),
  ];
  const IR_VERSION = 8;
  const OPSET = 13;
  return Uint8Array.from([...integer(1, IR_VERSION), ...bytes(7, graph), ...bytes(8, integer(2, OPSET))]);
}

/** The graph of a piece of work, or null where it trains. Its output is "out", its inputs "a" and, for products, "b". */
export function onnxModel(work: WorkName): Uint8Array | null {
  const gemm = GEMMS[work];
  if (gemm) {
    const [n, k, m] = gemm;
    return model(
      [node("MatMul", ["a", "b"], "out")],
      [],
      [value("a", [n, k]), value("b", [k, m])],
      value("out", [n, m]),
    );
  }
  if (work === "relu") return model([node("Relu", ["a"], "out")], [], [value("a", PLANES)], value("out", PLANES));
  const half = { kernel_shape: [2, 2], strides: [2, 2] };
  if (work === "maxPool")
    return model([node("MaxPool", ["a"], "out", half)], [], [value("a", PLANES)], value("out", [64, 32, 16, 16]));
  if (work !== "forward64") return null;
  const { convs, linears } = chapterWeights();
  const constants = [...convs, ...linears].flatMap(({ shape, weight, bias }, i) => [
    tensor(`w${i}`, shape, weight),
    tensor(`b${i}`, [shape[0]!], bias),
  ]);
  const layers = [0, 1, 2].flatMap((i) => [
    node("Conv", [i === 0 ? "a" : `p${i - 1}`, `w${i}`, `b${i}`], `c${i}`, {
      kernel_shape: [5, 5],
      pads: [2, 2, 2, 2],
    }),
    node("MaxPool", [`c${i}`], `p${i}`, half),
  ]);
  layers.push(
    node("Flatten", ["p2"], "f", { axis: 1 }),
    node("Gemm", ["f", "w3", "b3"], "h", { transB: 1 }),
    node("Gemm", ["h", "w4", "b4"], "out", { transB: 1 }),
  );
  return model(layers, constants, [value("a", [64, 3, 32, 32])], value("out", [64, 10]));
}
