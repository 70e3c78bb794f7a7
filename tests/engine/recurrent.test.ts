import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { initWasm, useBackend } from "../../engine/backends/index.ts";
import { setWarningSink } from "../../engine/core/warnings.ts";
import * as torch from "../../engine/torch.ts";

const { nn } = torch;
type Tensor = torch.Tensor;

const { packPaddedSequence, packSequence, padPackedSequence, padSequence, unpackSequence } = nn.utils.rnn;

/** Whether two tensors agree up to float32's rounding. */
function expectClose(actual: Tensor | null, expected: Tensor | null, what: string): void {
  if (!actual || !expected) expect.fail(`${what}: nothing to compare`);
  expect([...actual.shape], what).toEqual([...expected.shape]);
  const distance = actual.detach().sub(expected.detach()).abs().max().item();
  expect(distance, what).toBeLessThan(1e-5);
}

/** PyTorch 2.13's answers to the two sequences below. */
const FIRST_STEP = [-0.172095, 0.031709, 0.130394, -0.233593, -0.231782, -0.147884];
const LAST_STATE = [-0.129143, -0.147312, -0.096638];

const LAYERS = {
  RNN: () => new nn.RNN(3, 4, { numLayers: 2, bidirectional: true }),
  GRU: () => new nn.GRU(3, 4, { numLayers: 2, bidirectional: true }),
  // Only its outputs are looked at, which are like the others'.
  LSTM: () => new nn.LSTM(3, 4, { numLayers: 2, bidirectional: true }) as unknown as torch.nn.GRU,
};

const lengths = [2, 4, 1];

function sequences(): Tensor[] {
  return lengths.map((length) => torch.randn(length, 3).requiresGrad_());
}

describe.each(["reference", "wasm"] as const)("recurrent layers on the %s backend", (backend) => {
  beforeAll(async () => {
    await initWasm();
    useBackend(backend);
  });
  afterAll(() => useBackend("reference"));
  beforeEach(() => torch.manualSeed(0));

  it.each(["RNN", "GRU", "LSTM"] as const)(
    "%s gives of packed sequences what each alone gives, with its gradients",
    (kind) => {
      const layer = LAYERS[kind]();
      const list = sequences();
      const alone = list.map((sequence) => layer(sequence)[0]);
      alone
        .map((output) => output.square().sum())
        .reduce((a, b) => a.add(b))
        .backward();
      const expected = [...list, ...layer.parameters()].map((leaf) => leaf.grad);
      for (const leaf of [...list, ...layer.parameters()]) leaf.grad = null;

      const [output] = layer(packSequence(list, { enforceSorted: false }));
      unpackSequence(output).forEach((part, i) => {
        expectClose(part, alone[i]!, `output of sequence ${i}`);
      });
      output.data.square().sum().backward();
      [...list, ...layer.parameters()].forEach((leaf, i) => {
        expectClose(leaf.grad, expected[i]!, `gradient ${i}`);
      });
    },
  );

  it("an LSTM layer in one operation goes the steps of an LSTMCell, and back", () => {
    const layer = new nn.LSTM(3, 4);
    const cell = new nn.LSTMCell(3, 4);
    const state = layer.stateDict();
    cell.loadStateDict(
      Object.fromEntries(Object.entries(state).map(([name, value]) => [name.replace("_l0", ""), value])),
    );
    const x = torch.randn(5, 2, 3).requiresGrad_();
    const [output, [h, c]] = layer(x);
    output.square().sum().add(h.sum()).add(c.mul(2).sum()).backward();
    const gradient = x.grad;
    x.grad = null;

    let hidden: [Tensor, Tensor] = [torch.zeros(2, 4), torch.zeros(2, 4)];
    const outputs = Array.from(x, (step) => {
      hidden = cell(step, hidden);
      return hidden[0];
    });
    const stepped = torch.stack(outputs);
    stepped.square().sum().add(hidden[0].sum()).add(hidden[1].mul(2).sum()).backward();
    expectClose(output, stepped, "output");
    expectClose(c.get(0), hidden[1], "c");
    expectClose(gradient, x.grad, "gradient of the input");
    for (const [name, parameter] of cell.namedParameters()) {
      expectClose(layer.getParameter(`${name}_l0`).grad, parameter.grad, `gradient of ${name}`);
    }
  });

  it("gradients of gradients pass through the LSTM in one operation as through its float64 steps", () => {
    const penalty = (dtype: torch.DType): Tensor[] => {
      torch.manualSeed(1);
      const layer = new nn.LSTM(2, 3).to(dtype);
      const x = torch.arange(12).to(dtype).sin().reshape(3, 2, 2).requiresGrad_();
      const [output] = layer(x);
      expect(output.gradFn?.name).toBe(dtype === torch.float32 ? "MkldnnRnnLayerBackward0" : "StackBackward0");
      const [slope] = torch.autograd.grad(output.square().sum(), x, { createGraph: true });
      slope!.square().sum().backward();
      return [x, ...layer.parameters()].map((leaf) => leaf.grad!.to(torch.float32));
    };
    const expected = penalty(torch.float64);
    penalty(torch.float32).forEach((gradient, i) => {
      expectClose(gradient, expected[i]!, `gradient ${i}`);
    });
  });

  it("has PyTorch's numbers of two sequences after the same seed", () => {
    const layer = new nn.LSTM(2, 3, { numLayers: 2, bidirectional: true });
    const list = [
      [[1, 2]],
      [
        [3, -1],
        [0.5, 0.25],
        [2, 2],
      ],
    ].map((rows) => torch.tensor(rows, { dtype: torch.float32 }));
    const packed = packSequence(list, { enforceSorted: false });
    expect(packed.batchSizes.tolist()).toEqual([2, 1, 1]);
    const [output, [h]] = layer(packed);
    expectClose(output.data.get(0), torch.tensor(FIRST_STEP), "first step");
    expectClose(h.get(-1, 0), torch.tensor(LAST_STATE), "last state");
  });
});

describe("recurrent layers", () => {
  it("has its parameters by PyTorch's names and by camelCase ones", () => {
    const layer = new nn.GRU(2, 3, { numLayers: 2, bidirectional: true });
    expect(layer.weightIhL0).toBe(layer.getParameter("weight_ih_l0"));
    expect(Reflect.get(layer, "biasHhL1Reverse")).toBe(layer.getParameter("bias_hh_l1_reverse"));
    expect(layer.allWeights.map((weights) => weights.length)).toEqual([4, 4, 4, 4]);
    const listed = layer.allWeights.flat();
    expect([...layer.parameters()].every((parameter, i) => parameter === listed[i])).toBe(true);
  });

  it("warns of a dropout that has no layers to stand between", () => {
    const told: string[] = [];
    setWarningSink((text) => told.push(text));
    new nn.RNN(2, 3, { dropout: 0.5 });
    new nn.RNN(2, 3, { dropout: 0.5, numLayers: 2 });
    setWarningSink(null);
    expect(told).toEqual([
      "UserWarning: dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects num_layers greater than 1, but got dropout=0.5 and num_layers=1",
    ]);
  });

  it("drops between layers in training only", () => {
    torch.manualSeed(0);
    const layer = new nn.GRU(2, 3, { numLayers: 2, dropout: 1 });
    const x = torch.randn(4, 1, 2);
    const twice = () => [layer(x)[0], layer(x.mul(2))[0]] as const;
    const [a, b] = twice();
    expect(a.equal(b), "the second layer sees zeros").toBe(true);
    layer.eval();
    const [c, d] = twice();
    expect(c.equal(d)).toBe(false);
  });

  it("refuses states of another kind in PyTorch's words", () => {
    const x = torch.zeros(5, 2, 3);
    const lstm = new nn.LSTM(3, 4);
    expect(() => lstm(x, [torch.zeros(1, 2, 4), torch.zeros(2, 2, 4)])).toThrow(
      "Expected hidden[1] size (1, 2, 4), got [2, 2, 4]",
    );
    expect(() => lstm(x, [torch.zeros(2, 4), torch.zeros(1, 2, 4)])).toThrow(
      "For batched 3-D input, hx and cx should also be 3-D but got (2-D, 3-D) tensors",
    );
    expect(() => new nn.GRU(3, 4)(x, torch.zeros(1, 3, 4))).toThrow("Expected hidden size (1, 2, 4), got [1, 3, 4]");
    expect(() => new nn.GRUCell(3, 4)(torch.zeros(2, 3), torch.zeros(3, 4))).toThrow(
      "Input batch size 2 doesn't match hidden0 batch size 3",
    );
  });

  it("takes no projection but in an LSTM", () => {
    // @ts-expect-error PyTorch refuses it, and so do the types.
    expect(() => new nn.GRU(3, 4, { projSize: 2 })).toThrow(
      "proj_size argument is only supported for LSTM, not RNN or GRU",
    );
    const [output, [h, c]] = new nn.LSTM(3, 4, { projSize: 2 })(torch.zeros(5, 1, 3));
    expect([output, h, c].map(({ shape }) => [...shape])).toEqual([
      [5, 1, 2],
      [1, 1, 2],
      [1, 1, 4],
    ]);
  });
});

describe("sequences of several lengths", () => {
  const [long, short] = [torch.tensor([1, 2, 3]), torch.tensor([4])];

  it("are padded on either side", () => {
    expect(padSequence([long, short], { batchFirst: true }).tolist()).toEqual([
      [1, 2, 3],
      [4, 0, 0],
    ]);
    expect(padSequence([long, short], { paddingValue: 9, paddingSide: "left" }).tolist()).toEqual([
      [1, 9],
      [2, 9],
      [3, 4],
    ]);
  });

  it("come back from packing as they went in, in their own order", () => {
    const packed = packSequence([short, long], { enforceSorted: false });
    expect(String(packed)).toBe(
      "PackedSequence(data=tensor([1, 4, 2, 3]), batch_sizes=tensor([2, 1, 1]), sorted_indices=tensor([1, 0]), unsorted_indices=tensor([1, 0]))",
    );
    expect(unpackSequence(packed).map((sequence) => sequence.tolist())).toEqual([[4], [1, 2, 3]]);
    const [padded, counts] = padPackedSequence(packed, { batchFirst: true, totalLength: 4, paddingValue: -1 });
    expect(padded.tolist()).toEqual([
      [4, -1, -1, -1],
      [1, 2, 3, -1],
    ]);
    expect(counts.tolist()).toEqual([1, 3]);
  });

  it("have gradients where they are, and none in the padding", () => {
    const x = torch.ones(3, 2, 1, { requiresGrad: true });
    packPaddedSequence(x, [3, 1]).data.mul(2).sum().backward();
    expect(x.grad!.squeeze(-1).tolist()).toEqual([
      [2, 2],
      [2, 0],
      [2, 0],
    ]);
  });

  it("have to come sorted unless they may be sorted", () => {
    expect(() => packSequence([short, long])).toThrow("`lengths` array must be sorted in decreasing order");
  });
});
