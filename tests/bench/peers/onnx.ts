import * as ort from "onnxruntime-web/wasm";
import { onnxModel } from "../onnx-model.ts";
import { chapterBatch, GEMMS, numbers, type Peer, PLANES, planes, type Run, type WorkName } from "../works.ts";

async function prepare(work: WorkName): Promise<Run | null> {
  const model = onnxModel(work);
  // Inference only: it has no training.
  if (!model) return null;
  const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
  const tensor = (data: Float32Array, shape: readonly number[]) => new ort.Tensor("float32", data, shape);
  const gemm = GEMMS[work];
  const feeds: Record<string, ort.Tensor> = gemm
    ? {
        a: tensor(numbers(gemm[0] * gemm[1], 1), [gemm[0], gemm[1]]),
        b: tensor(numbers(gemm[1] * gemm[2], 2), [gemm[1], gemm[2]]),
      }
    : { a: work === "forward64" ? tensor(chapterBatch(64).images, [64, 3, 32, 32]) : tensor(planes(), PLANES) };
  return async () => {
    const { out } = await session.run(feeds);
    const data = out!.data as Float32Array;
    return work === "forward64" ? data.reduce((sum, each) => sum + each, 0) : data[0]!;
  };
}

/** @param files folder of the library's binaries, ending in "/" */
export async function load(files: string): Promise<Peer> {
  ort.env.wasm.wasmPaths = files;
  ort.env.wasm.numThreads = 1;
  return { name: "onnxruntime-web", prepare };
}
