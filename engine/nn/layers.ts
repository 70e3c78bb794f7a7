/**
 * What the inputs of this library's layers are called, for calls by keyword and for messages. Layers that take options
 * with their inputs (recurrent ones, attention, transposed convolutions) name them themselves.
 */
import * as activation from "./activation.ts";
import * as gated from "./activation_gated.ts";
import * as activationKin from "./activation_kin.ts";
import * as adaptiveLogSoftmax from "./adaptive_log_softmax.ts";
import * as adaptivePooling from "./adaptive_pooling.ts";
import { declareLayer } from "./calls.ts";
import { Sequential } from "./containers.ts";
import * as conv from "./conv.ts";
import * as distance from "./distance.ts";
import * as dropout from "./dropout.ts";
import * as embedding from "./embedding.ts";
import * as flatten from "./flatten.ts";
import * as layerNorm from "./layer_norm.ts";
import * as linear from "./linear.ts";
import * as loss from "./loss.ts";
import * as lossKin from "./loss_kin.ts";
import * as lossStructured from "./loss_structured.ts";
import { Module } from "./module.ts";
import * as normalization from "./normalization.ts";
import * as padding from "./padding.ts";
import * as pooling from "./pooling.ts";
import * as resizing from "./resizing.ts";

const FILES: readonly Readonly<Record<string, unknown>>[] = [
  activation,
  gated,
  activationKin,
  adaptiveLogSoftmax,
  adaptivePooling,
  { Sequential },
  conv,
  distance,
  dropout,
  embedding,
  flatten,
  layerNorm,
  linear,
  loss,
  lossKin,
  lossStructured,
  normalization,
  padding,
  pooling,
  resizing,
];

/** Most layers take an `input`, most losses a `target` too. */
const USUAL: Readonly<Record<number, readonly string[]>> = { 1: ["!input"], 2: ["!input", "!target"] };

const PAIR = ["!x1", "!x2"];
const TRIPLET = ["!anchor", "!positive", "!negative"];
const COMPARED = ["!input1", "!input2", "!target"];

const UNUSUAL: Readonly<Record<string, readonly string[]>> = {
  AdaptiveLogSoftmaxWithLoss: ["!input_", "!target_"],
  Bilinear: ["!input1", "!input2"],
  CTCLoss: ["!logProbs", "!targets", "!inputLengths", "!targetLengths"],
  CosineEmbeddingLoss: COMPARED,
  CosineSimilarity: PAIR,
  GaussianNLLLoss: ["!input", "!target", "!var"],
  MarginRankingLoss: COMPARED,
  PairwiseDistance: PAIR,
  PoissonNLLLoss: ["!logInput", "!target"],
  RMSNorm: ["!x"],
  TripletMarginLoss: TRIPLET,
  TripletMarginWithDistanceLoss: TRIPLET,
};

/** Where PyTorch's forward is that of a base class. */
function ownerOf(name: string): string {
  if (name === "ReLU6") return "Hardtanh";
  const family = /^(BatchNorm|InstanceNorm|ReflectionPad|ReplicationPad|CircularPad|ConstantPad|ZeroPad)/.exec(
    name,
  )?.[1];
  if (family === undefined) return name;
  if (family.endsWith("Norm")) return `_${family}`;
  return `_${family === "ZeroPad" ? "ConstantPad" : family}Nd`;
}

for (const file of FILES) {
  for (const [name, value] of Object.entries(file)) {
    if (typeof value !== "function" || !(value.prototype instanceof Module)) continue;
    const forward: Module["forward"] = value.prototype.forward;
    const params = UNUSUAL[name] ?? USUAL[forward.length];
    if (!params) continue;
    declareLayer(forward, { name: ownerOf(name), params, handsOn: name === "Sequential" || name === "Identity" });
  }
}
