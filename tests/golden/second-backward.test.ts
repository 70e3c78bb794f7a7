/**
 * Which operations run a second time in backward: those whose nodes saved nothing. second_backward.json names the cases in
 * which PyTorch 2.13's do; all others raise. Every differentiated case of ops and functional was asked.
 */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { backward } from "../../engine/autograd/grad.ts";
import { Tensor } from "../../engine/core/tensor.ts";
import { type CallCase, load, type Stored, titleOf } from "./cases.ts";
import { operation } from "./names.ts";
import { callArguments } from "./run.ts";
import { isTensor, toTensor, toValue } from "./values.ts";

const recorded = JSON.parse(readFileSync(new URL("./second_backward.json", import.meta.url), "utf8")) as {
  passes: Record<"ops" | "functional", string[]>;
};

/** The outputs that have a gradient, each with its own. */
function differentiated(output: unknown, cotangent: Stored | undefined): [Tensor, Tensor][] {
  if (output instanceof Tensor) {
    return output.requiresGrad && isTensor(cotangent) ? [[output, toTensor(cotangent)]] : [];
  }
  const parts = Array.isArray(cotangent) ? cotangent : [];
  return [...(output as Iterable<unknown>)].flatMap((part, i) => differentiated(part, parts[i]));
}

function run({ op, inputs, args, options, grads = [] }: CallCase): unknown {
  const tensors = inputs.map((stored, i) => {
    const value = toValue(stored);
    if (value instanceof Tensor && grads[i]) value.requiresGrad = true;
    return value;
  });
  const given = callArguments(tensors, args, options);
  if (op === "torch.Tensor.__getitem__" && Array.isArray(given[1])) given.splice(1, 1, ...given[1]);
  return operation(op)(...given);
}

describe.each(["ops", "functional"] as const)("a second backward through %s", (group) => {
  const passes = new Set(recorded.passes[group]);
  const cases = load(group).filter(({ grads, error }) => grads?.length && error === undefined);

  test.each(cases.map((golden) => [titleOf(golden), golden] as const))("%s", (_, golden) => {
    const pairs = differentiated(run(golden), golden.cotangent);
    const sweep = () => {
      const [outputs, gradients] = [pairs.map(([output]) => output), pairs.map(([, gradient]) => gradient)];
      backward(outputs, gradients);
    };
    sweep();
    if (passes.has(golden.python ?? "")) sweep();
    else expect(sweep).toThrow(/^Trying to backward through the graph a second time/);
  });
});
