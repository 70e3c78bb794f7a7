import { readFileSync } from "node:fs";
import { DTYPES, type DTypeName } from "../../../engine/core/dtype.ts";
import { Storage } from "../../../engine/core/storage.ts";
import { Tensor } from "../../../engine/core/tensor.ts";

/** What PyTorch 2.13.0 answered; tests/golden/README.md describes the first, the second adds samplers, pictures, errors. */
export const GOLDEN = JSON.parse(readFileSync(new URL("../../golden/rng.json", import.meta.url), "utf8"));
export const ORACLE = JSON.parse(readFileSync(new URL("./oracle.json", import.meta.url), "utf8"));

export function tensorOf(data: ArrayLike<number>, shape: number[], dtype: DTypeName = "float32"): Tensor {
  const storage = Storage.allocate(DTYPES[dtype], data.length);
  storage.data.set(data);
  return new Tensor(storage, shape);
}

export function valuesOf(tensor: Tensor): number[] {
  return [...tensor.denseData()];
}

/** The error a call throws, as PyTorch's class and message, without the hint. */
export function errorOf(call: () => unknown): { type: string; message: string } {
  try {
    call();
  } catch (error) {
    if (error instanceof Error) return { type: error.name, message: error.message.replace(/\nhint: [\s\S]*$/, "") };
  }
  throw new Error("the call did not fail");
}

export const ATLAS = readFileSync(new URL("../../../engine/torchvision/standin/atlas.bin", import.meta.url));
