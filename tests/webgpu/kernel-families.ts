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

export const FAMILIES: Readonly<Record<string, () => KernelCase[]>> = {
  copy: copyCases,
  arithmetic: arithmeticCases,
  reduce: reduceCases,
  indexing: indexingCases,
  cumulative: cumulativeCases,
  softmax: softmaxCases,
  normalize: normalizeCases,
  matmul: matmulCases,
  conv: convCases,
  pool: poolCases,
};
