/** Graphs that are deep, or in which paths are many: no recursion, and no more work than there are nodes. */
import { describe, expect, it } from "vitest";
import { operations } from "../../engine/ops/registry.ts";
import * as torch from "../../engine/torch.ts";

const leaf = () => torch.ones(1, { requiresGrad: true });

function chain(x: torch.Tensor, length: number): torch.Tensor {
  let y = x;
  for (let i = 0; i < length; i++) y = y.add(x);
  return y;
}

/** The shortest of a few runs, in milliseconds. */
function shortest(prepare: () => () => void): number {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 5; run++) {
    const work = prepare();
    const start = performance.now();
    work();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

describe("a chain of 100 000 additions", () => {
  it("is swept without a stack", () => {
    const x = leaf();
    chain(x, 100_000).backward();
    expect(x.grad?.item()).toBe(100_001);
  });

  it("gives its gradient to autograd.grad, at either end and in the middle", () => {
    const x = leaf();
    const middle = chain(x, 50_000);
    let y = middle;
    for (let i = 0; i < 50_000; i++) y = y.add(1);
    expect(torch.autograd.grad(y, [x, middle], { retainGraph: true }).map((g) => g?.item())).toEqual([50_001, 1]);
    expect(torch.autograd.grad(y, y)[0]?.item()).toBe(1);
  });

  it("takes time in proportion: four times as long for four times the length, not sixteen", () => {
    const time = (length: number) =>
      shortest(() => {
        const y = chain(leaf(), length);
        return () => y.backward();
      });
    time(5_000);
    const short = time(20_000);
    expect(time(80_000) / short).toBeLessThan(10);
  });
});

describe("a tensor added to itself thirty times", () => {
  it("has two to the thirtieth paths and is swept node by node", () => {
    const x = leaf();
    let y = x;
    for (let i = 0; i < 30; i++) y = y.add(y);
    const add = operations().get("add");
    const backward = add?.backward;
    let runs = 0;
    if (add && backward) {
      add.backward = (...args) => {
        runs++;
        return backward(...args);
      };
    }
    try {
      y.backward();
    } finally {
      if (add) add.backward = backward;
    }
    expect(x.grad?.item()).toBe(2 ** 30);
    expect(runs).toBe(30);
  });

  it("and so is its derivative", () => {
    const x = torch.tensor([2], { dtype: torch.float64, requiresGrad: true });
    let y = x.mul(x);
    for (let i = 0; i < 30; i++) y = y.add(y);
    const [g] = torch.autograd.grad(y, x, { createGraph: true });
    const [h] = torch.autograd.grad(g!, x);
    expect([g!.item(), h!.item()]).toEqual([2 ** 32, 2 ** 31]);
  });
});

it("a chain of 10 000 multiplications is differentiated twice", () => {
  const x = torch.ones(1, { dtype: torch.float64, requiresGrad: true });
  let y = x;
  for (let i = 1; i < 10_000; i++) y = y.mul(x);
  const [g] = torch.autograd.grad(y, x, { createGraph: true });
  const [h] = torch.autograd.grad(g!, x);
  expect([g!.item(), h!.item()]).toEqual([10_000, 10_000 * 9_999]);
});
