/** Softmax over so many classes that the rare ones are grouped. */
import { bind } from "../core/arguments.ts";
import { RuntimeError, ValueError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import { add, neg, where } from "../ops/arithmetic.ts";
import { ge, logicalAnd, lt } from "../ops/comparison.ts";
import { argmax } from "../ops/extremes.ts";
import { indexSelect } from "../ops/gathering.ts";
import { nonzero } from "../ops/indexing.ts";
import { cat } from "../ops/joining.ts";
import { filled } from "../ops/operands.ts";
import { mean } from "../ops/reduce.ts";
import { indexAdd, maskedSelect } from "../ops/scattering.ts";
import { squeeze, unsqueeze } from "../ops/view.ts";
import { ModuleList, Sequential } from "./containers.ts";
import type { FactoryOptions } from "./factory.ts";
import * as F from "./functional.ts";
import { Linear } from "./linear.ts";
import { Module } from "./module.ts";

export interface AdaptiveLogSoftmaxOptions extends FactoryOptions {
  /** How much narrower each group's projection is than the one before. Default 4. */
  divValue?: number;
  /** Whether the head has a bias. Default false. */
  headBias?: boolean;
}

interface AdaptiveLogSoftmaxSizes {
  inFeatures: number;
  nClasses: number;
  /** Where the groups begin, ascending. */
  cutoffs: readonly number[];
}

/** The target's log-probability of each sample, and the mean loss; destructures as `[output, loss]`. */
export type AdaptiveLogSoftmaxOutput = [output: Tensor, loss: Tensor] & { output: Tensor; loss: Tensor };

/**
 * Log-softmax over classes sorted by frequency: the frequent ones in the head, the rest in groups that are computed only
 * where they are needed. Shapes: input [N, inFeatures] or [inFeatures], target [N] or [], output the target's.
 * https://docs.pytorch.org/docs/2.13/generated/torch.nn.AdaptiveLogSoftmaxWithLoss.html
 */
export class AdaptiveLogSoftmaxWithLoss extends Module {
  readonly inFeatures: number;
  readonly nClasses: number;
  readonly cutoffs: readonly number[];
  readonly divValue: number;
  readonly headBias: boolean;
  readonly shortlistSize: number;
  readonly nClusters: number;
  readonly headSize: number;
  declare head: Linear;
  declare tail: ModuleList;

  constructor(inFeatures: number, nClasses: number, cutoffs: readonly number[], options?: AdaptiveLogSoftmaxOptions);
  constructor(options: AdaptiveLogSoftmaxSizes & AdaptiveLogSoftmaxOptions);
  constructor(...args: unknown[]) {
    super();
    const {
      inFeatures,
      nClasses,
      cutoffs,
      divValue = 4,
      headBias = false,
      ...factory
    } = bind<AdaptiveLogSoftmaxSizes & AdaptiveLogSoftmaxOptions>(
      "AdaptiveLogSoftmaxWithLoss.__init__",
      ["!inFeatures", "!nClasses", "!cutoffs", "divValue", "headBias", "device", "dtype"],
      args,
    );
    checkCutoffs(cutoffs, nClasses);
    this.inFeatures = inFeatures;
    this.nClasses = nClasses;
    this.cutoffs = [...cutoffs, nClasses];
    this.divValue = divValue;
    this.headBias = headBias;
    this.shortlistSize = this.cutoffs[0]!;
    this.nClusters = this.cutoffs.length - 1;
    this.headSize = this.shortlistSize + this.nClusters;
    this.head = new Linear(inFeatures, this.headSize, { bias: headBias, ...factory });
    this.tail = new ModuleList();
    for (let i = 0; i < this.nClusters; i++) {
      const hidden = Math.floor(inFeatures / divValue ** (i + 1));
      const classes = this.cutoffs[i + 1]! - this.cutoffs[i]!;
      this.tail.append(
        new Sequential(
          new Linear(inFeatures, hidden, { bias: false, ...factory }),
          new Linear(hidden, classes, { bias: false, ...factory }),
        ),
      );
    }
  }

  /** Draws all weights anew. */
  resetParameters(): void {
    this.head.resetParameters();
    for (const projection of this.tail) {
      for (const linear of projection as Sequential) (linear as Linear).resetParameters();
    }
  }

  override forward(input: Tensor, target: Tensor): AdaptiveLogSoftmaxOutput {
    checkTarget(input, target);
    const batched = target.ndim > 0;
    const rows = batched ? input : unsqueeze(input, 0);
    const classes = batched ? target : unsqueeze(target, 0);
    const count = classes.shape[0]!;
    let tailLogProbs = filled([count], 0, rows.dtype);
    // Which column of the head each sample reads: its class, or that of its group.
    let columns = classes;
    let known = 0;
    [0, ...this.cutoffs.slice(0, -1)].forEach((low, i) => {
      const belongs = logicalAnd(ge(classes, low), lt(classes, this.cutoffs[i]!));
      const samples = squeeze(nonzero(belongs), 1);
      if (samples.numel() === 0) return;
      known += samples.numel();
      if (i === 0) return;
      const within = maskedSelect(classes, belongs).sub(low);
      const logProbs = this.#clusterLogProbs(i - 1, indexSelect(rows, 0, samples));
      tailLogProbs = indexAdd(tailLogProbs, 0, samples, squeeze(logProbs.gather(1, unsqueeze(within, 1)), 1));
      columns = where(belongs, this.shortlistSize + i - 1, columns);
    });
    if (known !== count) {
      throw new RuntimeError(
        `Target values should be in [0, ${this.nClasses - 1}], but values in range [${classes.min().item()}, ${classes.max().item()}] were found. `,
      );
    }
    const headLogProbs = F.logSoftmax(this.head(rows), 1).gather(1, unsqueeze(columns, 1));
    const all = add(tailLogProbs, squeeze(headLogProbs, 1));
    const loss = mean(neg(all));
    const output = batched ? all : squeeze(all, 0);
    return Object.assign([output, loss], { output, loss }) as unknown as AdaptiveLogSoftmaxOutput;
  }

  /** The log-probabilities of all classes: [N, inFeatures] → [N, nClasses]. */
  logProb(input: Tensor): Tensor {
    const head = F.logSoftmax(this.head(input), 1);
    const parts = [head.narrow(1, 0, this.shortlistSize)];
    for (let i = 0; i < this.nClusters; i++) {
      const group = head.narrow(1, this.shortlistSize + i, 1);
      parts.push(add(this.#clusterLogProbs(i, input), group));
    }
    return cat(parts, 1);
  }

  /** The likeliest class of each sample: [N, inFeatures] → [N]. */
  predict(input: Tensor): Tensor {
    const best = argmax(this.head(input), 1);
    // As in PyTorch: a class of the head stands, and only where the head names a group all classes compete.
    return where(ge(best, this.shortlistSize), argmax(this.logProb(input), 1), best);
  }

  #clusterLogProbs(cluster: number, input: Tensor): Tensor {
    return F.logSoftmax((this.tail.get(cluster) as Sequential)(input), 1);
  }
}

function checkCutoffs(cutoffs: readonly number[], classes: number): void {
  if (cutoffs.length === 0) throw new ValueError("cutoffs should be a sequence of length larger than 0");
  const rising = cutoffs.every((cutoff, i) => Number.isInteger(cutoff) && cutoff > (cutoffs[i - 1] ?? 0));
  if (rising && cutoffs.at(-1)! <= classes - 1) return;
  throw new ValueError(
    "cutoffs should be a sequence of unique, positive integers sorted in an increasing order, where each value is between 1 and n_classes-1",
  );
}

function checkTarget(input: Tensor, target: Tensor): void {
  if (target.ndim > 1) throw new RuntimeError("0D or 1D target tensor expected, multi-target not supported");
  if (target.ndim === 1 && input.shape[0] !== target.shape[0]) {
    throw new RuntimeError("Input and target should have the same size in the batch dimension.");
  }
  if (input.ndim !== target.ndim + 1) {
    throw new RuntimeError(
      `${target.ndim}D target tensor expects ${target.ndim + 1}D input tensors, but found inputs with size ${input.shape}`,
      { shapes: [input.shape, target.shape] },
    );
  }
}
