/** Building on graphs whose saved tensors are gone: PyTorch's errors and answers, and no memory for what can only fail. */
import { describe, expect, test } from "vitest";
import type { FunctionCtx } from "../../engine/autograd/function.ts";
import type { Node } from "../../engine/autograd/node.ts";
import type { Tensor } from "../../engine/core/tensor.ts";
import * as torch from "../../engine/torch.ts";

const { autograd } = torch;

const TWICE = /^Trying to backward through the graph a second time/;
const UNUSED = /^The differentiated Tensor at index 0 appears to not have been used in the graph/;

const leaf = (value: number | number[]) => torch.tensor(value, { dtype: torch.float32, requiresGrad: true });

/** How a step's loss joins what is kept. */
type Join = (kept: Tensor, loss: Tensor) => Tensor;

/** Losses of many steps, each swept, and their sums so far. */
function train(steps: number, join: Join = (kept, loss) => kept.add(loss), swept: "before" | "after" = "before") {
  const w = leaf([1, 2]);
  const losses: Tensor[] = [];
  const sums: Tensor[] = [];
  const inner: Tensor[] = [];
  for (let step = 1; step <= steps; step++) {
    const scaled = w.mul(step);
    const loss = scaled.pow(2).sum();
    w.grad = null;
    if (swept === "before") loss.backward();
    const kept = sums.at(-1);
    sums.push(kept ? join(kept, loss) : loss);
    if (swept === "after") loss.backward();
    losses.push(loss);
    inner.push(scaled);
  }
  return { w, losses, sums, inner, last: sums.at(-1)! };
}

/** How many nodes a tensor's graph holds. */
function held(tensor: Tensor): number {
  const seen = new Set<Node>(tensor.gradFn ? [tensor.gradFn] : []);
  for (const node of seen) for (const edge of node.edges) if (edge) seen.add(edge.node);
  return seen.size;
}

describe("a graph that was swept", () => {
  test("is swept a second time up to what was freed, and leaves before it get their gradients", () => {
    const [x, w] = [leaf(2), leaf(3)];
    const y = w.add(x.mul(x));
    y.backward();
    expect(() => y.backward()).toThrow(TWICE);
    expect([x.grad?.item(), w.grad?.item()]).toEqual([4, 2]);
  });

  test("gives no gradient to a leaf that would get one from what was freed as well", () => {
    const w = leaf(3);
    const z = w.mul(w);
    z.backward();
    expect(() => w.add(z).backward()).toThrow(TWICE);
    expect(w.grad?.item()).toBe(6);
  });

  test("fails even where no gradient arrives", () => {
    class Nothing extends autograd.Function {
      static override forward(_: FunctionCtx, x: Tensor) {
        return x.mul(1);
      }
      static override backward() {
        return null;
      }
    }
    const x = leaf(2);
    const z = x.mul(x);
    z.backward();
    expect(() => Nothing.apply(z).backward()).toThrow(TWICE);
  });

  test("shows its nodes as before", () => {
    const x = leaf(2);
    const y = x.mul(x);
    const node = y.gradFn;
    y.backward();
    const next = y.add(1).mul(2).gradFn?.nextFunctions[0]?.[0]?.nextFunctions[0]?.[0];
    expect(next).toBe(node);
    expect(next?.nextFunctions.map(([into]) => into?.name)).toEqual(["AccumulateGrad", "AccumulateGrad"]);
  });
});

const JOINS: Record<string, Join> = {
  "kept.add(loss)": (kept, loss) => kept.add(loss),
  "loss.add(kept)": (kept, loss) => loss.add(kept),
  "kept.add(loss.mul(64))": (kept, loss) => kept.add(loss.mul(64)),
  "kept.mul(0.9).add(loss.mul(0.1))": (kept, loss) => kept.mul(0.9).add(loss.mul(0.1)),
  "kept.add_(loss) on a copy": (kept, loss) => kept.clone().add_(loss),
};

describe.each(Object.entries(JOINS))("%s over a hundred steps", (_, join) => {
  test.each(["before", "after"] as const)("holds the last steps only, each swept %s", (swept) => {
    const [short, long] = [train(40, join, swept).last, train(400, join, swept).last].map(held);
    expect(long).toBeLessThan(120);
    expect(Math.abs(long! - short!)).toBeLessThan(80);
  });

  test("fails as in PyTorch, for every leaf it comes from", () => {
    const { w, last } = train(100, join);
    const before = w.grad?.tolist();
    expect(() => last.backward()).toThrow(TWICE);
    expect(() => autograd.grad(last, w)).toThrow(TWICE);
    expect(() => autograd.grad(last, w, { allowUnused: true })).toThrow(TWICE);
    expect(w.grad?.tolist()).toEqual(before);
  });

  test("has nothing to do with a leaf or a tensor beside it", () => {
    const { last } = train(100, join);
    const other = leaf(1);
    expect(autograd.grad(last, [other, other.mul(2)], { allowUnused: true })).toEqual([null, null]);
    expect(() => autograd.grad(last, other)).toThrow(UNUSED);
  });
});

describe("a sum of the losses of a hundred steps", () => {
  test("has gradients for what somebody still holds: earlier sums and losses", () => {
    const { last, sums, losses } = train(100);
    const wanted = [sums[3]!, losses[2]!, losses[50]!, sums[98]!, losses[0]!];
    expect(autograd.grad(last, wanted).map((grad) => grad?.item())).toEqual([1, 1, 1, 1, 1]);
  });

  test("has a gradient for a scaled loss in its middle", () => {
    const scaled: Tensor[] = [];
    const { last } = train(100, (kept, loss) => {
      scaled.push(loss.mul(0.5));
      return kept.mul(0.5).add(scaled.at(-1)!.mul(4));
    });
    const [late, early] = autograd.grad(last, [scaled[97]!, scaled[90]!]);
    expect([late?.item(), early?.item()]).toEqual([2, 4 * 2 ** -8]);
  });

  test("fails for what lies below a freed operation, of any step", () => {
    const { last, inner } = train(100);
    for (const step of [3, 50, 98, 99]) expect(() => autograd.grad(last, inner[step]!)).toThrow(TWICE);
    const apart = train(1).inner[0]!;
    expect(autograd.grad(last, apart, { allowUnused: true })).toEqual([null]);
  });

  test("runs the hooks that a sweep comes to before it fails, registered late as well", () => {
    const { last, sums, losses } = train(100);
    const seen: string[] = [];
    const watch = (name: string, tensor: Tensor) => tensor.registerHook(() => void seen.push(name));
    watch("loss 5", losses[5]!);
    watch("sum 40", sums[40]!);
    watch("loss 99", losses[99]!);
    watch("sum 98", sums[98]!);
    expect(() => last.backward()).toThrow(TWICE);
    expect(seen).toEqual(["loss 99"]);
  });

  test("runs the hooks on an earlier sum, at its turn", () => {
    const { last, sums } = train(100, (kept, loss) => loss.mul(0.1).add(kept.mul(0.9)));
    const seen: (number | undefined)[] = [];
    const alone = sums[60]!.mul(2).mul(3);
    sums[60]!.registerHook((grad: Tensor) => void seen.push(grad.item() as number));
    expect(() => alone.backward()).toThrow(TWICE);
    expect(() => last.backward()).toThrow(TWICE);
    expect(seen).toEqual([6]);
  });

  test.each(["first", "last"])("keeps leaves waiting that it shares, when it comes %s in a sum", (place) => {
    const { w, last } = train(100);
    const u = leaf(1);
    w.grad = null;
    const live = w.sum().add(u).mul(1);
    const total = place === "first" ? last.add(live) : live.add(last);
    expect(() => total.backward()).toThrow(TWICE);
    expect([w.grad, u.grad?.item()]).toEqual([null, 1]);
  });

  test("passes gradients to a leaf that nothing freed lies before", () => {
    const s = leaf(3);
    const w = leaf([1, 2]);
    let kept = s.mul(2);
    for (let step = 1; step <= 100; step++) {
      const loss = w.mul(step).pow(2).sum();
      loss.backward();
      kept = kept.add(loss);
    }
    expect(autograd.grad(kept, s, { retainGraph: true })[0]?.item()).toBe(2);
    expect(() => kept.backward()).toThrow(TWICE);
    expect(s.grad).toBe(null);
  });

  test("keeps everything where the graphs were kept", () => {
    const w = leaf([1, 2]);
    let kept: Tensor | null = null;
    for (let step = 1; step <= 100; step++) {
      const loss = w.mul(step).pow(2).sum();
      loss.backward({ retainGraph: true });
      kept = kept ? kept.add(loss) : loss;
    }
    w.grad = null;
    kept?.backward();
    expect(w.grad).not.toBe(null);
    expect((w.grad as Tensor | null)?.tolist()).toEqual([676700, 1353400]);
  });
});
