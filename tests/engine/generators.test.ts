/**
 * Sequences of random calls between which the stream may be left at any place, with generators of their own, in tensors
 * that do not lie row by row: recorded/random.json holds PyTorch's numbers.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DTYPES, type DTypeName } from "../../engine/core/dtype.ts";
import * as torch from "../../engine/torch.ts";

interface Call {
  op: string;
  dtype: DTypeName;
  size: number[];
  layout: "dense" | "transposed" | "strided";
  args: number[];
  /** Whether it draws from a generator of its own. */
  gen: boolean;
  data?: (number | string)[];
  error?: string;
}

interface Sequence {
  seed: number;
  calls: Call[];
  after: [rand: number, ownRand: number];
}

const sequences = JSON.parse(readFileSync(new URL("./recorded/random.json", import.meta.url), "utf8")) as Sequence[];

/** Zeros of the call's size that lie in memory as the call says. */
function target({ size, layout, dtype }: Call): torch.Tensor {
  const options = { dtype: DTYPES[dtype] };
  const last = size.length - 1;
  if (layout === "transposed" && last > 0) {
    return torch.zeros([...size.slice(0, -2), size[last]!, size[last - 1]!], options).transpose(-1, -2);
  }
  if (layout === "strided" && last >= 0) {
    return torch.zeros([...size.slice(0, -1), 2 * size[last]!], options).get("...", "::2");
  }
  return torch.zeros(size, options);
}

/** Numbers between 0 and 1, rising row by row. */
function shares(call: Call): torch.Tensor {
  const x = target(call);
  const n = x.numel();
  return x.copy_(
    torch
      .arange(1, n + 1, { dtype: x.dtype })
      .div(n + 1)
      .reshape(x.shape),
  );
}

const INITS = {
  init_xavier_normal_: torch.nn.init.xavierNormal_,
  init_kaiming_uniform_: torch.nn.init.kaimingUniform_,
  init_trunc_normal_: torch.nn.init.truncNormal_,
  init_orthogonal_: torch.nn.init.orthogonal_,
};

function run(call: Call, own: torch.Generator): torch.Tensor {
  const { op, size, args } = call;
  const [a, b] = args as [number, number];
  const given = { generator: call.gen ? own : null };
  const made = { ...given, dtype: DTYPES[call.dtype] };
  const { dtype } = made;
  const calls: Record<string, () => torch.Tensor> = {
    rand: () => torch.rand(size, made),
    randn: () => torch.randn(size, made),
    randint: () => torch.randint(a, b, size, made),
    randperm: () => torch.randperm(a, made),
    rand_like: () => torch.randLike(target(call), given),
    randn_like: () => torch.randnLike(target(call), given),
    randint_like: () => torch.randintLike(target(call), a, b, given),
    normal: () => torch.normal(a, b, size, made),
    normal_tt: () => {
      const mean = shares(call);
      return torch.normal(mean, mean.add(0.5), given);
    },
    bernoulli: () => torch.bernoulli(shares(call), given),
    bernoulli_p: () => target(call).bernoulli_(a, given),
    bernoulli_: () => target(call).bernoulli_(a, given),
    bernoulli_t: () => target(call).bernoulli_(shares({ ...call, layout: "dense" }), given),
    multinomial: () => torch.multinomial(torch.arange(1, 8, { dtype }), a, given),
    multinomial_r: () =>
      torch.multinomial(torch.arange(1, 13, { dtype }).reshape(2, 6), a, { ...given, replacement: true }),
    uniform_: () => target(call).uniform_(a, b, given),
    normal_: () => target(call).normal_(a, b, given),
    random_: () => target(call).random_(a, given),
    random_2: () => target(call).random_(a, b, given),
    random_0: () => (dtype.itemsize === 8 ? target(call).random_(100, given) : target(call).random_(given)),
    exponential_: () => target(call).exponential_(a, given),
    geometric_: () => target(call).geometric_(a, given),
    log_normal_: () => target(call).logNormal_(a, b, given),
    cauchy_: () => target(call).cauchy_(a, b, given),
    dropout: () => torch.nn.functional.dropout(shares(call), { p: a }),
    state: () => {
      const state = torch.getRngState();
      const before = torch.rand(3);
      torch.setRngState(state);
      own.setState(own.getState());
      const twin = own.cloneState();
      return torch.cat([before, torch.rand(2), torch.rand(2, { generator: twin })]);
    },
    fork: () =>
      torch.random.forkRng(() => {
        torch.manualSeed(3);
        return torch.randn(3);
      }),
  };
  if (op in INITS) return INITS[op as keyof typeof INITS](torch.zeros(size, { dtype }), given);
  return calls[op]!();
}

/** Numbers that PyTorch takes from a math library, whose last bits differ between processors; all others are exact. */
function isRounded({ op, dtype, size }: Call): boolean {
  if (op === "init_orthogonal_" || op === "init_trunc_normal_") return true;
  const count = size.reduce((x, y) => x * y, 1);
  const transcendental = /norm|randn|cauchy|exponential|xavier/.test(op);
  return transcendental && (dtype === "float64" || count >= 16);
}

describe("random calls in a row give PyTorch's numbers, and leave the stream where PyTorch leaves it", () => {
  it.each(sequences.map((sequence, i) => [i, sequence] as const))("sequence %i", (_, { seed, calls, after }) => {
    torch.manualSeed(seed);
    const own = new torch.Generator().manualSeed(seed + 1);
    calls.forEach((call, i) => {
      const told = `call ${i}: ${JSON.stringify({ ...call, data: undefined })}`;
      if (call.error !== undefined) {
        expect(() => run(call, own), told).toThrow(call.error);
        return;
      }
      const drawn = run(call, own);
      const found = Array.from(drawn.denseData(), Number);
      const single = drawn.dtype === torch.float32;
      const expected = call.data!.map((value) => (single ? Math.fround(Number(value)) : Number(value)));
      if (!isRounded(call)) {
        expect(found, told).toEqual(expected);
        return;
      }
      expect(found.length, told).toBe(expected.length);
      const most = single ? 4e-6 : 1e-13;
      expected.forEach((wanted, k) => {
        const distance = Math.abs(found[k]! - wanted);
        expect(distance, `${told}: ${found[k]}, not ${wanted}`).toBeLessThanOrEqual(
          most * Math.max(1, Math.abs(wanted)),
        );
      });
    });
    expect([torch.rand(1).item(), torch.rand(1, { generator: own }).item()]).toEqual(after);
  });
});

describe("normal numbers for sixteen places or more", () => {
  it("are drawn one by one, in the order of memory, where the places do not lie row by row", () => {
    torch.manualSeed(0);
    const column = torch.zeros(20, 2).get(":", 0).normal_();
    expect(column.get("0:4").tolist()).toEqual([
      1.5409960746765137, -0.293428897857666, -2.1787893772125244, 0.5684312582015991,
    ]);
    expect(torch.rand(1).item()).toBe(0.5262957811355591);
    torch.manualSeed(0);
    const turned = torch.randnLike(torch.zeros(5, 4).t());
    expect(turned.get(0).tolist()).toEqual([
      1.5409960746765137, -1.0845223665237427, -0.7192575931549072, -0.8566746115684509, -0.5663174986839294,
    ]);
    expect([...turned.stride()]).toEqual([1, 4]);
    expect(torch.rand(1).item()).toBe(0.5262957811355591);
  });

  it("are drawn in blocks where they do", () => {
    torch.manualSeed(0);
    torch.zeros(20).normal_();
    expect(torch.rand(1).item()).toBe(0.20812976360321045);
  });
});

describe("a generator", () => {
  it("gives its state as PyTorch's bytes, and takes no other", () => {
    const generator = new torch.Generator().manualSeed(4);
    const state = generator.getState();
    expect([[...state.shape], state.dtype.name]).toEqual([[5056], "uint8"]);
    const drawn = torch.rand(3, { generator });
    expect(torch.equal(torch.rand(3, { generator: generator.setState(state) }), drawn)).toBe(true);
    expect(() => generator.setState([1] as never)).toThrow("expected a torch.ByteTensor, but got list");
    expect(() => generator.setState(torch.zeros(3))).toThrow("RNG state must be a torch.ByteTensor");
    expect(() => torch.setRngState(torch.zeros(3, { dtype: torch.uint8 }))).toThrow(
      "Expected a CPUGeneratorImplState of size 5056 but found the input RNG state size to be 3",
    );
    expect(() => torch.setRngState(torch.zeros(5056, { dtype: torch.uint8 }))).toThrow("Invalid mt19937 state");
  });

  it("is on the CPU, knows its seed, and is copied with where it stands", () => {
    const generator = new torch.Generator({ device: "cpu" }).manualSeed(4);
    expect([String(generator.device), generator.initialSeed()]).toEqual(["cpu", 4]);
    torch.randn(3, { generator });
    const twin = generator.cloneState();
    expect(torch.equal(torch.randn(5, { generator }), torch.randn(5, { generator: twin }))).toBe(true);
    expect(twin.initialSeed()).toBe(4);
    expect(() => new torch.Generator("xyz")).toThrow("device type at start of device string: xyz");
  });

  it("cuts a fraction off the global seed, and refuses one for its own", () => {
    expect(torch.manualSeed(1.5).initialSeed()).toBe(1);
    expect(torch.random.initialSeed()).toBe(1);
    expect(() => new torch.Generator().manualSeed(0.5)).toThrow("manual_seed expected a long, but got float");
  });
});

describe("what is drawn in a fork", () => {
  const next = (body: () => unknown) => {
    torch.manualSeed(1);
    try {
      body();
    } catch {
      // The stream goes back all the same.
    }
    return torch.rand(1).item();
  };
  const untouched = next(() => {});

  it("leaves the stream as it was, even by an error", () => {
    expect(next(() => torch.random.forkRng(() => torch.manualSeed(9)))).toBe(untouched);
    expect(
      next(() =>
        torch.random.forkRng(() => {
          torch.rand(3);
          throw new Error("stop");
        }),
      ),
    ).toBe(untouched);
    expect(
      next(() => {
        using _ = torch.random.forkRng();
        torch.randn(3);
      }),
    ).toBe(untouched);
  });

  it("counts where the fork is switched off", () => {
    expect(next(() => torch.random.forkRng(() => torch.rand(3), { enabled: false }))).not.toBe(untouched);
  });

  it("in an asynchronous body, once that has ended", async () => {
    torch.manualSeed(1);
    await torch.random.forkRng(async () => {
      torch.rand(1);
      await Promise.resolve();
      torch.rand(1);
    });
    expect(torch.rand(1).item()).toBe(untouched);
  });
});
