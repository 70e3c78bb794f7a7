/** Which file holds the cases of which kernels. */
import { arithmeticCases } from "./arithmetic-cases.ts";
import { convCases } from "./conv-cases.ts";
import { copyCases } from "./copy-cases.ts";
import { cumulativeCases, indexingCases } from "./indexing-cases.ts";
import type { KernelCase } from "./kernel-cases.ts";
import { matmulCases } from "./matmul-cases.ts";
import { normalizeCases, softmaxCases } from "./normalize-cases.ts";
import { poolCases } from "./pool-cases.ts";
import { reduceCases } from "./reduce-cases.ts";

/** The tiles that the software adapter isn't given by itself. */
const onGpu = (cases: KernelCase[]): KernelCase[] => cases.map((test) => ({ ...test, tiling: "shared" }));

/** What an adapter without subgroups does. */
const withoutSwaps = (cases: KernelCase[]): KernelCase[] =>
  cases.map((test) => ({ ...test, tiling: "alone", swaps: false }));

export const FAMILIES: Readonly<Record<string, () => KernelCase[]>> = {
  copy: copyCases,
  arithmetic: arithmeticCases,
  reduce: reduceCases,
  indexing: indexingCases,
  cumulative: cumulativeCases,
  softmax: softmaxCases,
  normalize: normalizeCases,
  matmul: matmulCases,
  "matmul on a GPU": () => onGpu(matmulCases()),
  conv: convCases,
  "conv on a GPU": () => onGpu(convCases()),
  "conv without subgroups": () => withoutSwaps(convCases()),
  pool: poolCases,
};
