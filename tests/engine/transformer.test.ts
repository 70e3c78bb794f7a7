import { describe, expect, it } from "vitest";
import { setWarningSink } from "../../engine/core/warnings.ts";
import * as F from "../../engine/nn/functional.ts";
import * as torch from "../../engine/torch.ts";

const { nn } = torch;
type Tensor = torch.Tensor;

const sine = (...shape: number[]): Tensor =>
  torch
    .arange(shape.reduce((a, b) => a * b, 1))
    .float()
    .sin()
    .reshape(shape);

function encoder(options: object = {}): torch.nn.TransformerEncoder {
  torch.manualSeed(0);
  return new nn.TransformerEncoder(
    new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 6, batchFirst: true, ...options }),
    2,
  );
}

const PADDING = torch.tensor([
  [false, false, true],
  [false, false, false],
]);

/** PyTorch 2.13's answer to the first sequence of `sine(2, 3, 4)` with that padding, without gradients. */
const ENCODED = [
  [-1.244441, 0.188294, 1.491959, -0.435813],
  [-0.839674, -0.224166, -0.6254, 1.68924],
  [0, 0, 0, 0],
];

describe("a stack of transformer layers", () => {
  it("is made of copies that start equal and share nothing", () => {
    const layer = new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 6, batchFirst: true });
    const stack = new nn.TransformerEncoder(layer, 2);
    const state = stack.stateDict();
    for (const [name, parameter] of layer.namedParameters()) {
      const [first, second] = [state[`layers.0.${name}`]!, state[`layers.1.${name}`]!];
      expect(first.equal(parameter) && second.equal(parameter), name).toBe(true);
      expect(first.storage !== second.storage && first.storage !== parameter.storage, name).toBe(true);
    }
    torch.manualSeed(0);
    const fresh = torch.rand(1);
    torch.manualSeed(0);
    new nn.TransformerEncoder(layer, 3);
    expect(torch.rand(1).equal(fresh), "copying draws nothing").toBe(true);
  });

  it("copies a layer of one's own with its settings, shared parameters and hooks", () => {
    class Tied extends nn.Module {
      first = new nn.Linear(2, 2);
      second = this.first;
      sizes = [1, 2];

      override forward(x: Tensor): Tensor {
        return this.second(this.first(x)).mul(this.sizes.length);
      }
    }
    const layer = new Tied();
    let calls = 0;
    layer.first.registerForwardHook(() => {
      calls++;
    });
    const decoder = new nn.TransformerDecoder(layer, 1);
    const copy = decoder.layers.get(0) as Tied;
    expect(copy).toBeInstanceOf(Tied);
    expect(copy.first).toBe(copy.second);
    expect(copy.first).not.toBe(layer.first);
    expect(copy.sizes).not.toBe(layer.sizes);
    const x = torch.ones(1, 2);
    expect(copy(x).equal(layer(x))).toBe(true);
    expect(calls).toBe(4);
  });

  it("gives zeros for padded steps in evaluation, and says why it cannot", () => {
    const stack = encoder().eval();
    const src = sine(2, 3, 4);
    const output = torch.noGrad(() => stack(src, { srcKeyPaddingMask: PADDING }));
    expect(output.get(0).sub(torch.tensor(ENCODED)).abs().max().item()).toBeLessThan(1e-5);
    const recorded = stack(src, { srcKeyPaddingMask: PADDING });
    expect(recorded.get(0, 2).eq(0).any().item()).toBe(false);

    const told: string[] = [];
    setWarningSink((text) => told.push(text));
    encoder({ normFirst: true });
    setWarningSink(null);
    expect(told).toEqual([
      "UserWarning: enable_nested_tensor is True, but self.use_nested_tensor is False because encoder_layer.norm_first was True",
    ]);
  });

  it("shows no step a later one under the square subsequent mask, however the mask is given", () => {
    const stack = encoder({ dropout: 0 });
    const mask = nn.Transformer.generateSquareSubsequentMask(3);
    const src = sine(1, 3, 4);
    const changed = src.clone();
    changed.set([0, 2], torch.ones(4));
    for (const options of [{ mask }, { mask: mask.ne(0) }, { mask, isCausal: true }]) {
      const [a, b] = [stack(src, options), stack(changed, options)];
      expect(a.get(0, ":2").sub(b.get(0, ":2")).abs().max().item()).toBeLessThan(1e-6);
      expect(a.get(0, 2).equal(b.get(0, 2))).toBe(false);
    }
  });

  it("keeps an activation that is a layer among its children", () => {
    const layer = new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 6, activation: new nn.GELU() });
    expect(Array.from(layer.namedChildren(), ([name]) => name).at(-1)).toBe("activation");
    const other = new nn.TransformerEncoderLayer(4, 2, { dimFeedforward: 6, activation: F.gelu });
    other.loadStateDict(layer.stateDict());
    const x = sine(3, 1, 4);
    expect(layer.eval()(x).equal(other.eval()(x))).toBe(true);
    // @ts-expect-error another name is no activation.
    expect(() => new nn.TransformerEncoderLayer(4, 2, { activation: "tanh" })).toThrow(
      "activation should be relu/gelu, not tanh",
    );
  });
});

describe("multi-head attention", () => {
  it("is one head's softmax(q·kᵀ / √E)·v with projections that change nothing", () => {
    const attention = new nn.MultiheadAttention(4, 1, { bias: false, batchFirst: true });
    torch.noGrad(() => {
      attention.inProjWeight?.copy_(torch.cat([torch.eye(4), torch.eye(4), torch.eye(4)]));
      attention.outProj.weight.copy_(torch.eye(4));
    });
    const [q, k] = [sine(1, 2, 4), sine(1, 3, 4).add(1)];
    const [output, weights] = attention(q, k, k);
    const expected = torch.softmax(q.matmul(k.transpose(1, 2)).div(2), -1);
    expect(weights?.sub(expected).abs().max().item()).toBeLessThan(1e-6);
    expect(output.sub(expected.matmul(k)).abs().max().item()).toBeLessThan(1e-6);
  });

  it("answers a row that may look nowhere with NaN where it gives weights, else with zeros and no NaN gradient", () => {
    const attention = new nn.MultiheadAttention(4, 2, { bias: false, batchFirst: true });
    const x = sine(1, 2, 4).requiresGrad_();
    const attnMask = torch.tensor([
      [true, true],
      [false, true],
    ]);
    expect(attention(x, x, x, { attnMask })[0].get(0, 0).isnan().all().item()).toBe(true);
    const [output] = attention(x, x, x, { attnMask, needWeights: false });
    expect(output.get(0, 0).tolist()).toEqual([0, 0, 0, 0]);
    output.sum().backward();
    expect(x.grad!.isnan().any().item()).toBe(false);
  });

  it("refuses what does not fit in PyTorch's words", () => {
    const attention = new nn.MultiheadAttention(4, 2);
    const x = sine(3, 1, 4);
    expect(() => attention(x, x, x, { attnMask: torch.zeros(2, 3) })).toThrow(
      "The shape of the 2D attn_mask is torch.Size([2, 3]), but should be (3, 3).",
    );
    expect(() => attention(x, x, x, { isCausal: true })).toThrow("Need attn_mask if specifying the is_causal hint.");
    expect(() => attention(x, x.get(0), x.get(0))).toThrow(
      "expected `key` and `value` to be 3-D but found 2-D and 2-D tensors respectively",
    );
    expect(() => new nn.MultiheadAttention(5, 2)).toThrow("embed_dim must be divisible by num_heads");
  });
});
