/** Activations that overwrite their input: what the functions of the same name without "_" do with `inplace: true`. */

import { checked } from "../core/signature.ts";
import type { Tensor } from "../core/tensor.ts";
import {
  celu,
  type EluOptions,
  elu,
  type HardtanhOptions,
  hardtanh,
  type LeakyReluOptions,
  leakyRelu,
  selu,
  threshold,
} from "./activation.ts";
import { type RreluOptions, rrelu } from "./gated.ts";

/** max(0, x) in place. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.relu_.html */
export const relu_ = checked("relu_(Tensor input)", (input: Tensor): Tensor => {
  return input.relu_();
});

/** `elu` in place. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.elu_.html */
export function elu_(input: Tensor, options: Omit<EluOptions, "inplace"> = {}): Tensor {
  return elu(input, { ...options, inplace: true });
}

/** `celu` in place. */
export function celu_(input: Tensor, options: Omit<EluOptions, "inplace"> = {}): Tensor {
  return celu(input, { ...options, inplace: true });
}

/** `selu` in place. */
export const selu_ = checked("selu_(Tensor input)", (input: Tensor): Tensor => {
  return selu(input, { inplace: true });
});

/** `hardtanh` in place. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.hardtanh_.html */
export function hardtanh_(input: Tensor, options: Omit<HardtanhOptions, "inplace"> = {}): Tensor {
  return hardtanh(input, { ...options, inplace: true });
}

/** `leakyRelu` in place. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.leaky_relu_.html */
export function leakyRelu_(input: Tensor, options: Omit<LeakyReluOptions, "inplace"> = {}): Tensor {
  return leakyRelu(input, { ...options, inplace: true });
}

/** `threshold` in place. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.threshold_.html */
export const threshold_ = checked(
  "threshold_(Tensor input, Number threshold, Number value)",
  (input: Tensor, at: number, value: number): Tensor => {
    return threshold(input, at, value, { inplace: true });
  },
);

/** `rrelu` in place. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.rrelu_.html */
export function rrelu_(input: Tensor, options: Omit<RreluOptions, "inplace"> = {}): Tensor {
  return rrelu(input, { ...options, inplace: true });
}
