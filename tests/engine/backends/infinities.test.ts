/** What infinite weights, statistics and inputs come to in batch normalisation and convolution: recorded from PyTorch. */
import { beforeAll, describe, expect, test } from "vitest";
import { currentBackend, initWasm, useBackend } from "../../../engine/backends/index.ts";
import * as torch from "../../../engine/torch.ts";

const F = torch.nn.functional;

/** n for NaN, + and - for infinities, . for numbers. */
const kindOf = (x: number) => (Number.isNaN(x) ? "n" : x === Infinity ? "+" : x === -Infinity ? "-" : ".");
const kinds = (x: torch.Tensor | null) =>
  Array.from((x?.detach().reshape(-1).tolist() ?? []) as number[], kindOf).join("");

/** The first channel of both pictures has these kinds, the second one numbers. */
const inFirstChannel = (first: string, second: string) => first + ".".repeat(40) + second + ".".repeat(40);

const floats = (values: number[]) => torch.tensor(values, { dtype: torch.float32 });

const NUMBERS = ".".repeat(160);

function normalized(weights: number[], mean: number[] | null, change: (x: torch.Tensor) => void = () => {}) {
  const values = (factor: number, modulus: number, shift: number) =>
    torch.arange(160).mul(factor).remainder(modulus).sub(shift).to(torch.float32).reshape([2, 2, 40]);
  const x = values(37, 17, 8);
  change(x);
  x.requiresGrad_();
  const weight = floats(weights).requiresGrad_();
  const bias = floats([0.5, -1]).requiresGrad_();
  const [runningMean, runningVar] = mean ? [floats(mean), floats([2, 3])] : [null, null];
  const y = F.batchNorm(x, runningMean, runningVar, {
    weight,
    bias,
    training: mean === null,
  });
  y.backward(values(29, 13, 6));
  return { out: kinds(y), input: kinds(x.grad), weight: kinds(weight.grad), bias: kinds(bias.grad) };
}

describe.each(["reference", "wasm"] as const)("on the %s backend", (backend) => {
  beforeAll(async () => {
    if (backend === "wasm") expect(await initWasm()).not.toBeNull();
    const before = currentBackend();
    useBackend(backend);
    return () => useBackend(before);
  });

  test("an infinite weight of a batch normalisation", () => {
    expect(normalized([Infinity, 1], null)).toEqual({
      out: inFirstChannel("nnn+++nnn+++nnn++nnn+++nnn+++nnn++nnn+++", "nnn++nnn+++nnn+++nnn++nnn+++nnn+++nnn++n"),
      input: inFirstChannel("---++--++--++--+++--++--++--+++--++--++-", "-++--++--++--+++--++--++--+++--++--++---"),
      weight: "..",
      bias: "..",
    });
    expect(normalized([Infinity, 1], [1, 2])).toEqual({
      out: inFirstChannel("---nnn---nnn--nnn---nnn---nnn--nnn---nnn", "--nnn---nnn---nnn--nnn---nnn---nnn--nnn-"),
      input: inFirstChannel("--n++--++--++--n++--++--++--n++--++--++-", "n++--++--++--n++--++--++--n++--++--++--n"),
      weight: "..",
      bias: "..",
    });
  });

  test("an infinite mean and an infinite input leave the input's gradient finite where statistics are given", () => {
    const all = "-".repeat(40);
    expect(normalized([2, 1], [Infinity, 2])).toEqual({
      out: inFirstChannel(all, all),
      input: NUMBERS,
      weight: "n.",
      bias: "..",
    });
    expect(normalized([2, 1], [1, 2], (x) => x.set([0, 0, 0], Infinity))).toEqual({
      out: `+${NUMBERS.slice(1)}`,
      input: NUMBERS,
      weight: "-.",
      bias: "..",
    });
  });

  test("an infinite weight of a padded convolution", () => {
    const x = torch.ones([1, 1, 4, 4], { requiresGrad: true });
    const w = torch.ones([1, 1, 3, 3]);
    w.set([0, 0, 0, 0], Infinity);
    const y = F.conv2d(x, w, null, { padding: 1 });
    expect(kinds(y)).toBe("nnnnn+++n+++n+++");
    y.backward(torch.ones([1, 1, 4, 4]));
    const inf = Infinity;
    expect(x.grad?.reshape(-1).tolist()).toEqual([inf, inf, inf, 4, inf, inf, inf, 6, inf, inf, inf, 6, 4, 6, 6, 4]);
  });

  test("a convolution of pictures that are dark in part lights nothing up", () => {
    torch.manualSeed(0);
    const x = torch.zeros([4, 32, 16, 16]);
    x.set([":", ":", ":8", ":8"], torch.randn([4, 32, 8, 8]));
    const y = F.conv2d(x, torch.randn([32, 32, 3, 3]), null, { padding: 1 });
    expect(y.get(":", ":", "9:").ne(0).sum().item()).toBe(0);
    expect(y.get(":", ":", ":", "9:").ne(0).sum().item()).toBe(0);
    expect(y.get(":", ":", ":9", ":9").ne(0).all().item()).toBe(true);
  });
});
