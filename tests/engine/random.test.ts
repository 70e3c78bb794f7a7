import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { allocate, DTYPES, type DTypeName, type TypedArray } from "../../engine/core/dtype.ts";
import {
  fillBernoulli,
  fillBernoulliScalar,
  fillExponential,
  fillGeometric,
  fillMultinomial,
  fillNormal,
  fillPermutation,
  fillRandomFull,
  fillRandomInt,
  fillUniform,
  Generator,
} from "../../engine/core/random.ts";

interface Stored {
  shape: number[];
  dtype: DTypeName;
  data?: number[];
  first?: number[];
  last?: number[];
  sum?: number;
}

interface Call {
  op?: string;
  inputs: Stored[];
  args: unknown[];
  options: { dtype?: { dtype: DTypeName }; replacement?: boolean };
  output: Stored;
  exact: boolean;
  atol?: number;
}

interface Case {
  kind: string;
  python?: string;
  seed: number;
  calls: Call[];
}

const file = JSON.parse(readFileSync(new URL("../golden/rng.json", import.meta.url), "utf8")) as { cases: Case[] };

const flat = (args: unknown[]): number[] => args.flat(2) as number[];
const weights = (call: Call): Float32Array => Float32Array.from(call.inputs[0]!.data!);

/** What the tensor layer will do for each call, on bare arrays. */
const DRAWS: Record<string, (out: TypedArray, call: Call, g: Generator) => void> = {
  "torch.rand": (out, _, g) => fillUniform(out, 0, 1, g),
  "torch.randn": (out, _, g) => fillNormal(out, 0, 1, g),
  "torch.randint": (out, call, g) => fillRandomInt(out, flat(call.args)[0]!, flat(call.args)[1]!, g),
  "torch.randperm": (out, _, g) => fillPermutation(out, g),
  "torch.normal": (out, call, g) => fillNormal(out, flat(call.args)[0]!, flat(call.args)[1]!, g),
  "torch.bernoulli": (out, call, g) => fillBernoulli(out, weights(call), g),
  "torch.multinomial": (out, call, g) => {
    const rows = call.inputs[0]!.shape.length === 2 ? call.inputs[0]!.shape[0]! : 1;
    fillMultinomial(out, weights(call), rows, flat(call.args)[0]!, call.options.replacement ?? false, g);
  },
  "torch.Tensor.normal_": (out, call, g) => fillNormal(out, flat(call.args)[0] ?? 0, flat(call.args)[1] ?? 1, g),
  "torch.Tensor.uniform_": (out, call, g) => fillUniform(out, flat(call.args)[0], flat(call.args)[1], g),
  "torch.Tensor.exponential_": (out, _, g) => fillExponential(out, 1, g),
  "torch.Tensor.random_": (out, call, g) => fillRandomInt(out, flat(call.args)[0]!, flat(call.args)[1]!, g),
  "torch.Tensor.bernoulli_": (out, call, g) => fillBernoulliScalar(out, flat(call.args)[0], g),
};

describe("the distributions against PyTorch's numbers", () => {
  const covered = file.cases.filter((c) => c.kind === "calls" && c.calls.every((call) => (call.op ?? "") in DRAWS));

  it("covers every kind of call that needs no layer", () => {
    expect(covered.length).toBeGreaterThan(200);
  });

  it.each(covered.map((c) => [`${c.python} after seed ${c.seed}`, c] as const))("%s", (_, golden) => {
    const generator = new Generator().manualSeed(golden.seed);
    for (const call of golden.calls) {
      const { shape, dtype } = call.output;
      const out = allocate(
        DTYPES[dtype],
        shape.reduce((a, b) => a * b, 1),
      );
      DRAWS[call.op!]!(out, call, generator);
      const [actual, stored] = call.output.data
        ? [[...out], call.output.data]
        : [
            [...out.slice(0, 5), ...out.slice(-5)],
            [...call.output.first!, ...call.output.last!],
          ];
      const expected = dtype === "float32" ? stored.map(Math.fround) : stored;
      if (call.exact) expect(actual).toEqual(expected);
      else {
        for (const [i, value] of expected.entries()) {
          expect(Math.abs(actual[i]! - value)).toBeLessThanOrEqual(call.atol ?? 1e-5);
        }
      }
    }
  });
});

describe("the generator", () => {
  it("draws uniform doubles with a fused multiply-add, as PyTorch does", () => {
    const out = new Float64Array(4);
    fillUniform(out, -1.3, 0.7, new Generator().manualSeed(3));
    expect([...out]).toEqual([-1.231783608698959, -0.7265195465573862, 0.2458298886571686, -0.9501459414374107]);
  });

  it("fills whole ranges, geometric and double probabilities from PyTorch's stream", () => {
    const seeded = () => new Generator().manualSeed(3);
    const drawn = (dtype: DTypeName) => {
      const out = allocate(DTYPES[dtype], 3);
      fillRandomFull(out, dtype, seeded());
      return [...out];
    };
    expect(drawn("float32")).toEqual([71389, 1771142, 4795460]);
    expect(drawn("float64")).toEqual([307219314442800, 2582726356426969, 6961798910534005]);
    expect(drawn("int32")).toEqual([218175338, 303761048, 893988089]);
    expect(drawn("uint8")).toEqual([106, 152, 249]);
    expect(drawn("bool")).toEqual([0, 0, 1]);
    const trials = new Float32Array(3);
    fillGeometric(trials, 0.3, seeded());
    expect([...trials]).toEqual([10, 4, 1]);
    const coins = new Float64Array(10);
    fillBernoulli(coins, new Float64Array(10).fill(0.4), seeded());
    expect([...coins]).toEqual([1, 1, 0, 1, 0, 0, 1, 0, 0, 0]);
  });

  it("draws ranges of 2^28 and more from 64 bits", () => {
    const out = new Float64Array(3);
    fillRandomInt(out, 0, 2 ** 40 + 7, new Generator().manualSeed(3));
    expect([...out]).toEqual([455505608439, 1072971245135, 790760920747]);
    fillRandomInt(out, -5, 2 ** 31, new Generator().manualSeed(3));
    expect([...out]).toEqual([269491366, 1110123781, 911740593]);
  });

  it("starts from PyTorch's default seed and takes negative seeds from the top", () => {
    const generator = new Generator();
    expect(generator.initialSeed()).toBe(67280421310721);
    expect(generator.uniform24()).toBe(Math.fround(0.267295241355896));
    expect(generator.manualSeed(-1).initialSeed()).toBe(18446744073709551615n);
    expect(generator.uniform24()).toBe(Math.fround(0.9937993884086609));
  });

  it("refuses seeds that PyTorch refuses", () => {
    expect(() => new Generator().manualSeed(2n ** 64n)).toThrow("Overflow when unpacking long long");
    expect(() => new Generator().manualSeed(0.5)).toThrow("manual_seed expected a long, but got float");
  });

  it("saves its state in PyTorch's bytes and goes on from it, kept normal number included", () => {
    const generator = new Generator().manualSeed(5);
    fillNormal(new Float32Array(1), 0, 1, generator);
    const state = generator.stateBytes();
    const hex = Buffer.from(state).toString("hex");
    expect(state.length).toBe(5056);
    expect(hex.slice(0, 80)).toBe("05000000000000006d0200000100000004000000000000004bee48f3000000002519832a00000000");
    expect(hex.slice(2 * 5008, 2 * 5044)).toBe(
      "8a74b81a0000000000000000000000002a9492a68152e3bf000000000000000001000000",
    );
    const draw = (g: Generator) => [g.normal(), g.normal(), g.random(), g.random64()];
    const expected = draw(generator);
    expect(draw(new Generator().restoreBytes(state))).toEqual(expected);
  });

  it("keeps count across the twist like PyTorch's state does", () => {
    const generator = new Generator().manualSeed(5);
    for (let i = 0; i < 624; i++) generator.random();
    expect(Buffer.from(generator.stateBytes()).toString("hex").slice(16, 48)).toBe("01000000010000007002000000000000");
    generator.random();
    expect(Buffer.from(generator.stateBytes()).toString("hex").slice(16, 48)).toBe("70020000010000000100000000000000");
  });

  it("refuses a state that is none", () => {
    expect(() => new Generator().restoreBytes(new Uint8Array(3))).toThrow(
      "Expected a CPUGeneratorImplState of size 5056 but found the input RNG state size to be 3",
    );
    expect(() => new Generator().restoreBytes(new Uint8Array(5056))).toThrow("Invalid mt19937 state");
  });

  it("seeds itself from entropy with a seed that reproduces the stream", () => {
    const generator = new Generator();
    const seed = generator.seed();
    expect(Number.isSafeInteger(seed)).toBe(true);
    expect(new Generator().manualSeed(seed).random()).toBe(generator.random());
  });

  it("says what is wrong with a distribution's parameters", () => {
    const out = new Float32Array(3);
    expect(() => fillUniform(out, 2, 1)).toThrow(
      "uniform_ expects to return a [from, to) range, but found from=2 > to=1",
    );
    expect(() => fillNormal(out, 2, -1)).toThrow("normal expects std >= 0.0, but found std -1");
    expect(() => fillRandomInt(out, 5, 5)).toThrow(
      "random_ expects 'from' to be less than 'to', but got from=5 >= to=5",
    );
    expect(() => fillBernoulliScalar(out, 1.5)).toThrow("bernoulli_ expects p to be in [0, 1], but got p=1.5");
    expect(() => fillExponential(out, -1)).toThrow("exponential_ expects lambda > 0.0, but found lambda=-1");
    expect(() => fillMultinomial(out, Float32Array.of(0, 1), 1, 3, false)).toThrow("without replacement");
  });
});
