/**
 * Every operation with a derivative, first and second, against differences in float64. An operation without a case fails
 * here: add one to gradcheck-cases.ts.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../engine/backends/index.ts";
import { operations } from "../../engine/ops/registry.ts";
import "../../engine/public.ts";
import * as torch from "../../engine/torch.ts";
import { CASES, type Call, COARSE, Made, ONCE } from "./gradcheck-cases.ts";

const { gradcheck, gradgradcheck } = torch.autograd;

/** Operations whose backward has run. */
const swept = new Set<string>();

beforeAll(() => {
  useBackend("reference");
  for (const [name, op] of operations()) {
    const backward = op.backward?.bind(op);
    if (!backward) continue;
    op.backward = (...args) => {
      swept.add(name);
      return backward(...args);
    };
  }
});

/** A call as a function of the tensors that it makes. */
function asFunction(call: Call): { func: () => torch.Tensor[]; inputs: torch.Tensor[] } {
  const make = new Made();
  const func = () => {
    make.restart();
    const result = call(make);
    const outputs = result instanceof torch.Tensor ? [result] : [...(result as Iterable<unknown>)];
    return outputs.filter((output) => output instanceof torch.Tensor && output.isFloatingPoint()) as torch.Tensor[];
  };
  func();
  return { func, inputs: make.leaves };
}

describe.each(Object.entries(CASES))("%s", (name, calls) => {
  const coarse = COARSE.has(name) ? { eps: 1e-2, atol: 1e-3, rtol: 1e-2 } : {};
  it.each(calls.map((call, i) => [i + 1, call] as const))("case %i", (_, call) => {
    const { func, inputs } = asFunction(call);
    swept.clear();
    expect(gradcheck(func, inputs, coarse)).toBe(true);
    expect([...swept]).toContain(name);
    if (ONCE.has(name)) {
      expect(() => gradgradcheck(func, inputs)).toThrow(/is not implemented|does not require grad/);
    } else if (!COARSE.has(name)) expect(gradgradcheck(func, inputs)).toBe(true);
  });
});

it("every operation with a derivative has a case", () => {
  // "NotImplemented" is PyTorch's name for a node whose backward only throws.
  const missing = [...operations()]
    .filter(([name, op]) => op.differentiable && op.gradFn !== "NotImplemented" && !(name in CASES))
    .map(([name]) => name);
  expect(missing).toEqual([]);
});
