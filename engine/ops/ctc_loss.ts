/** Connectionist temporal classification. https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.ctc_loss.html */
import { bind } from "../core/arguments.ts";
import { NotImplementedError, RuntimeError } from "../core/errors.ts";
import { SCALAR_TYPE_NAMES } from "../core/promotion.ts";
import { assertTensor, Tensor } from "../core/tensor.ts";
import { clamp, div, where } from "./arithmetic.ts";
import { eq } from "./comparison.ts";
import type { ReductionOption } from "./loss_arguments.ts";
import { checkReduction, reduceLoss } from "./loss_arguments.ts";
import { filled } from "./operands.ts";
import { call, defineOp, type Op } from "./registry.ts";
import { squeeze, unsqueeze } from "./view.ts";

interface CtcAttrs {
  /** The labels of each sample. */
  targets: readonly (readonly number[])[];
  inputLengths: readonly number[];
  blank: number;
  zeroInfinity: boolean;
}

const NEVER = Number.NEGATIVE_INFINITY;

function logSumExp(...values: number[]): number {
  const largest = Math.max(...values);
  if (largest === NEVER) return NEVER;
  return largest + Math.log(values.reduce((total, value) => total + Math.exp(value - largest), 0));
}

/** The labels with blanks before, between and after them. */
function extended(labels: readonly number[], blank: number): number[] {
  return [blank, ...labels.flatMap((label) => [label, blank])];
}

/**
 * For every step the log-probabilities of all paths that have reached each extended label by then. `at(t, s)` is the
 * log-probability of label s at step t. Read from the end, the same is what remains.
 */
function paths(labels: readonly number[], steps: number, at: (t: number, s: number) => number): number[][] {
  const rows: number[][] = [];
  for (let t = 0; t < steps; t++) {
    const before = rows[t - 1];
    rows.push(
      labels.map((label, s) => {
        if (!before) return s < 2 ? at(0, s) : NEVER;
        const stay = before[s]!;
        const step = s > 0 ? before[s - 1]! : NEVER;
        // The blank between two labels may be left out unless they are the same.
        const skip = s > 1 && label !== labels[s - 2] ? before[s - 2]! : NEVER;
        return logSumExp(stay, step, skip) + at(t, s);
      }),
    );
  }
  return rows;
}

const Ctc: Op<CtcAttrs> = defineOp({
  name: "_ctc_loss",
  gradFn: "CtcLossBackward0",
  kernels: [],
  forward(ctx, logProbs: Tensor) {
    const { targets, inputLengths, blank } = ctx.attrs;
    const [, n, c] = logProbs.shape as unknown as [number, number, number];
    const data = logProbs.denseData();
    const out = Tensor.empty([n], logProbs.dtype);
    targets.forEach((target, i) => {
      const labels = extended(target, blank);
      const steps = inputLengths[i]!;
      const last = paths(labels, steps, (t, s) => data[(t * n + i) * c + labels[s]!]!).at(-1);
      // Without a step only the empty text is possible.
      const reached = last ? logSumExp(...last.slice(-2)) : target.length === 0 ? 0 : NEVER;
      out.storage.data[i] = -reached;
    });
    ctx.save(logProbs, out);
    return out;
  },
  backward: ({ attrs, saved: [logProbs, losses] }, grad: Tensor) => [call(CtcGrad, attrs, grad, logProbs!, losses!)],
});

const CtcGrad: Op<CtcAttrs> = defineOp({
  name: "_ctc_loss_backward",
  gradFn: "NotImplemented",
  kernels: [],
  forward({ attrs }, grad: Tensor, logProbs: Tensor, losses: Tensor) {
    const { targets, inputLengths, blank, zeroInfinity } = attrs;
    const [, n, c] = logProbs.shape as unknown as [number, number, number];
    const data = logProbs.denseData();
    const loss = losses.denseData();
    const incoming = grad.denseData();
    const out = filled(logProbs.shape, 0, logProbs.dtype);
    targets.forEach((target, i) => {
      if (zeroInfinity && loss[i] === Number.POSITIVE_INFINITY) return;
      const labels = extended(target, blank);
      const steps = inputLengths[i]!;
      const at = (t: number, label: number) => data[(t * n + i) * c + label]!;
      const forwards = paths(labels, steps, (t, s) => at(t, labels[s]!));
      const mirrored = labels.toReversed();
      const backwards = paths(mirrored, steps, (t, s) => at(steps - 1 - t, mirrored[s]!));
      for (let t = 0; t < steps; t++) {
        const through = new Array<number>(c).fill(NEVER);
        labels.forEach((label, s) => {
          const all = forwards[t]![s]! + backwards[steps - 1 - t]![labels.length - 1 - s]!;
          through[label] = logSumExp(through[label]!, all);
        });
        // The gradient as if the log-probabilities came of log_softmax, as PyTorch computes it.
        for (let k = 0; k < c; k++) {
          const p = at(t, k);
          const share = Math.exp(p) - Math.exp(through[k]! + loss[i]! - p);
          out.storage.data[(t * n + i) * c + k] = share * incoming[i]!;
        }
      }
    });
    return out;
  },
});

export interface CtcLossOptions extends ReductionOption {
  /** The blank's class. Default 0. */
  blank?: number;
  /** Counts samples whose target does not fit the input as 0 instead of infinity. Default false. */
  zeroInfinity?: boolean;
}

/** Lengths as PyTorch takes them. */
export type Lengths = Tensor | readonly number[];

interface CtcArguments extends CtcLossOptions {
  logProbs: Tensor;
  targets: Tensor;
  inputLengths: Lengths;
  targetLengths: Lengths;
}

const CHECKING = "(while checking arguments for ctc_loss_allocate_outputs)";

function lengths(given: Lengths, name: string, batch: number): number[] {
  if (given instanceof Tensor && (given.dtype.isFloatingPoint || given.dtype.name === "bool")) {
    throw new RuntimeError(`${name} must be integral`);
  }
  const list = given instanceof Tensor ? Array.from(given.denseData()) : [...given];
  if (list.length !== batch) throw new RuntimeError(`${name} must be of size batch_size`);
  const negative = list.find((length) => length < 0);
  if (negative !== undefined) {
    throw new RuntimeError(`Expected ${name} to have value at least 0, but got value ${negative} ${CHECKING}`);
  }
  return list;
}

/** The labels of each sample, from one row each or all in one. */
function labelsOf(targets: Tensor, targetLengths: readonly number[]): number[][] {
  const data = Array.from(targets.denseData());
  if (targets.ndim === 1) {
    const total = targetLengths.reduce((a, b) => a + b, 0);
    if (data.length !== total) throw wrongSize(`size ${total} at dimension 0, but got size ${data.length}`);
    return targetLengths.map((length) => data.splice(0, length));
  }
  if (targets.ndim !== 2) {
    throw new RuntimeError(
      `Expected 1 to 2 dimensions, but got ${targets.ndim}-dimensional tensor for argument #2 'targets' ${CHECKING}`,
    );
  }
  const [rows, width] = targets.shape as unknown as [number, number];
  if (rows !== targetLengths.length) {
    throw wrongSize(`size ${targetLengths.length} at dimension 0, but got size ${rows}`);
  }
  const longest = Math.max(...targetLengths);
  if (width < longest) throw wrongSize(`size at least ${longest} at dimension 1, but got size ${width}`);
  return targetLengths.map((length, i) => data.slice(i * width, i * width + length));
}

function wrongSize(what: string): RuntimeError {
  return new RuntimeError(`Expected tensor to have ${what} for argument #2 'targets' ${CHECKING}`);
}

/**
 * -log of the probability that the input, read without repetitions and blanks, says the target.
 *
 * @param logProbs log-probabilities [T, N, C] or [T, C]
 * @param targets classes [N, S], or those of all samples one after the other
 * @param inputLengths how many steps of each sample count, [N]
 * @param targetLengths how many labels each target has, [N]
 * @returns with "mean" the mean of each loss over its target's length
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.nn.functional.ctc_loss.html
 */
export function ctcLoss(
  logProbs: Tensor,
  targets: Tensor,
  inputLengths: Lengths,
  targetLengths: Lengths,
  options?: CtcLossOptions,
): Tensor;
export function ctcLoss(...args: unknown[]): Tensor {
  const bound = bind<CtcArguments>(
    "ctc_loss",
    ["!logProbs", "!targets", "!inputLengths", "!targetLengths", "blank: int", "reduction", "zeroInfinity"],
    args,
  );
  const { logProbs, targets, blank = 0, reduction = "mean", zeroInfinity = false } = bound;
  assertTensor(logProbs, "ctc_loss", "log_probs", 1);
  assertTensor(targets, "ctc_loss", "targets", 2);
  checkReduction(reduction);
  const batched = logProbs.ndim === 3;
  const probs = logProbs.ndim === 2 ? unsqueeze(logProbs, 1) : logProbs;
  const rows = targets.ndim === 1 && !batched ? unsqueeze(targets, 0) : targets;
  if (probs.ndim !== 3) {
    throw new RuntimeError(
      `Expected 3-dimensional tensor, but got ${logProbs.ndim}-dimensional tensor for argument #1 'log_probs' ${CHECKING}`,
    );
  }
  if (probs.numel() === 0) throw new RuntimeError("log_probs tensor must not be empty");
  if (!probs.dtype.isFloatingPoint) {
    throw new NotImplementedError(`"ctc_loss_cpu" not implemented for '${SCALAR_TYPE_NAMES[probs.dtype.name]}'`);
  }
  const [steps, batch, classes] = probs.shape as unknown as [number, number, number];
  const inputLengths = lengths(bound.inputLengths, "input_lengths", batch);
  const targetLengths = lengths(bound.targetLengths, "target_lengths", batch);
  if (blank < 0 || blank >= classes) throw new RuntimeError("blank must be in label range");
  const labels = labelsOf(rows, targetLengths);
  const tooLong = inputLengths.find((length) => length > steps);
  if (tooLong !== undefined) {
    throw new RuntimeError(
      `Expected input_lengths to have value at most ${steps}, but got value ${tooLong} ${CHECKING}`,
    );
  }
  const raw = call(Ctc, { targets: labels, inputLengths, blank, zeroInfinity }, probs);
  const finite = zeroInfinity ? where(eq(raw, Number.POSITIVE_INFINITY), 0, raw) : raw;
  if (reduction === "mean") {
    const counts = Tensor.empty([batch], probs.dtype, probs.device);
    targetLengths.forEach((length, i) => {
      counts.storage.data[i] = length;
    });
    return reduceLoss(div(finite, clamp(counts, 1)), "mean");
  }
  const reduced = reduceLoss(finite, reduction);
  return reduction === "none" && !batched ? squeeze(reduced, 0) : reduced;
}
