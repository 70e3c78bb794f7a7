/** The reference backend: every kernel in plain TypeScript, for every dtype and layout. Other backends are measured by it. */
import type { Backend, Kernels } from "../backend.ts";
import { conv, convInputGrad, convWeightGrad } from "./conv.ts";
import { copy } from "./copy.ts";
import { binary, fill, unary, where } from "./elementwise.ts";
import { formula } from "./formula.ts";
import { gather, indexAdd, indexSelect, scatterAdd } from "./indexing.ts";
import { matmul } from "./matmul.ts";
import { moments, normalize, normalizeGrad } from "./normalize.ts";
import { avgPool, avgPoolGrad, maxPool, maxPoolGrad } from "./pool.ts";
import { cumulative, reduce } from "./reduce.ts";
import { softmax, softmaxGrad } from "./softmax.ts";

export const referenceKernels: Kernels = {
  fill,
  copy,
  unary,
  binary,
  where,
  formula,
  reduce,
  softmax,
  softmaxGrad,
  moments,
  normalize,
  normalizeGrad,
  matmul,
  conv,
  convInputGrad,
  convWeightGrad,
  maxPool,
  maxPoolGrad,
  avgPool,
  avgPoolGrad,
  indexSelect,
  indexAdd,
  gather,
  scatterAdd,
  cumulative,
};

/** Offers no attempts: the dispatcher falls through to `referenceKernels` for every call. */
export const referenceBackend: Backend = { name: "reference", device: "cpu", kernels: {} };
