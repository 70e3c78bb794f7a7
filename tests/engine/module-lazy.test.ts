/** Layers that take their sizes from the first input. */
import { describe, expect, it } from "vitest";
import * as torch from "../../engine/torch.ts";

const { nn, optim } = torch;

describe("a lazy layer", () => {
  it("has no shape before its first input, and is the ordinary layer after it", () => {
    const layer = new nn.LazyLinear(3);
    expect(String(layer)).toBe("LazyLinear(in_features=0, out_features=3, bias=True)");
    expect(String(layer.weight)).toBe("<UninitializedParameter>");
    expect(Object.keys(layer.stateDict())).toEqual(["weight", "bias"]);
    expect(() => layer.weight.shape).toThrow("Can't access the shape of an uninitialized parameter or buffer.");
    expect([...layer(torch.ones(2, 5)).shape]).toEqual([2, 3]);
    expect(String(layer)).toBe("Linear(in_features=5, out_features=3, bias=True)");
    expect(layer).not.toBeInstanceOf(nn.LazyLinear);
    expect(layer.weight.constructor).toBe(nn.Parameter);
    expect([...layer.weight.shape]).toEqual([3, 5]);
  });

  it("draws the values that the ordinary one draws", () => {
    torch.manualSeed(0);
    const lazy = new nn.LazyLinear(3);
    lazy(torch.ones(2, 5));
    torch.manualSeed(0);
    expect(lazy.weight.equal(new nn.Linear(5, 3).weight)).toBe(true);
  });

  it("takes the shapes of a state that is loaded first", () => {
    const layer = new nn.LazyLinear(3);
    const saved = new nn.Linear(4, 3).stateDict();
    const isLoaded = () => Object.entries(layer.stateDict()).every(([name, value]) => saved[name]?.equal(value));
    layer.loadStateDict(saved);
    expect(String(layer)).toBe("LazyLinear(in_features=0, out_features=3, bias=True)");
    expect(isLoaded()).toBe(true);
    expect(() => layer(torch.ones(1, 5))).toThrow(
      "The in_features inferred from input: 5 is not equal to in_features from self.weight: 4",
    );
    layer(torch.ones(1, 4));
    expect(String(layer)).toBe("Linear(in_features=4, out_features=3, bias=True)");
    expect(isLoaded()).toBe(true);
  });

  it("is learned by an optimizer that was made before the first input", () => {
    const model = new nn.Sequential(new nn.LazyLinear(4), new nn.ReLU(), new nn.LazyLinear(2));
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    model(torch.ones(1, 3)).sum().backward();
    const { bias } = model.get(2) as torch.nn.Linear;
    const before = bias?.tolist() as number[];
    optimizer.step();
    const after = bias?.tolist() as number[];
    expect(after.map((x, i) => x - before[i]!)).toEqual([expect.closeTo(-0.1, 5), expect.closeTo(-0.1, 5)]);
  });

  it("keeps the dtype that it was converted to", () => {
    const layer = new nn.LazyLinear(2).double();
    expect(layer.weight.dtype).toBe(torch.float64);
    expect(layer(torch.ones(1, 3, { dtype: torch.float64 })).dtype).toBe(torch.float64);
  });

  it("of a convolution takes its channels from the input, with or without a batch", () => {
    const conv = new nn.LazyConv2d(4, 3, { padding: 1 });
    expect(String(conv)).toBe("LazyConv2d(0, 4, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))");
    expect([...conv(torch.ones(2, 5, 5)).shape]).toEqual([4, 5, 5]);
    expect(String(conv)).toBe("Conv2d(2, 4, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))");
    expect([...new nn.LazyConvTranspose2d(2, 3)(torch.ones(1, 5, 4, 4)).shape]).toEqual([1, 2, 6, 6]);
    expect(() => new nn.LazyConv2d(4, 3)(torch.ones(3, 3))).toThrow(
      "Expected 3D (unbatched) or 4D (batched) input to LazyConv2d, but got input of size: torch.Size([3, 3])",
    );
    expect(() => new nn.LazyConv2d(4, 3, { groups: 2 })(torch.ones(1, 3, 5, 5))).toThrow(
      "in_channels must be divisible by groups",
    );
  });

  it("of a normalisation has running statistics once it has seen the input", () => {
    const norm = new nn.LazyBatchNorm2d();
    const keys = ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"];
    expect(Object.keys(norm.stateDict())).toEqual(keys);
    norm(torch.ones(1, 2, 5, 5));
    expect(String(norm)).toBe(
      "BatchNorm2d(2, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)",
    );
    expect(norm.runningMean?.tolist()).toEqual([expect.closeTo(0.1, 5), expect.closeTo(0.1, 5)]);
    expect(Object.keys(norm.stateDict())).toEqual(keys);
    const plain = new nn.LazyBatchNorm1d({ affine: false });
    plain(torch.ones(2, 3));
    expect(String(plain)).toBe(
      "BatchNorm1d(3, eps=1e-05, momentum=0.1, affine=False, bias=False, track_running_stats=True)",
    );
  });
});
