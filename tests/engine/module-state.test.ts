/** Saving, loading, converting and rebuilding modules: what the golden cases, which only run modules, do not reach. */
import { describe, expect, it } from "vitest";
import * as torch from "../../engine/torch.ts";

const { nn } = torch;

const names = (pairs: Iterable<readonly [string, unknown]>) => Array.from(pairs, ([name]) => name);

function errorOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
  return "nothing was thrown";
}

describe("a submodule is replaced by its dotted name", () => {
  const build = () => new nn.Sequential(new nn.Linear(2, 2), new nn.Sequential(new nn.ReLU()));

  it("puts the new one in its place, or beside where the name is new", () => {
    const model = build();
    model.setSubmodule("1.0", new nn.Tanh());
    model.setSubmodule("1.extra", new nn.Tanh());
    expect(String(model)).toBe(`Sequential(
  (0): Linear(in_features=2, out_features=2, bias=True)
  (1): Sequential(
    (0): Tanh()
    (extra): Tanh()
  )
)`);
  });

  it("says what is in the way", () => {
    const model = build();
    const put = (target: string, strict = false) =>
      errorOf(() => model.setSubmodule(target, new nn.ReLU(), { strict }));
    expect(put("")).toBe("ValueError: Cannot set the submodule without a target name!");
    expect(put("1.5", true)).toBe("AttributeError: Sequential has no attribute `5`");
    expect(put("0.weight")).toBe("AttributeError: `weight` is not an nn.Module");
    expect(put("9.a")).toBe("AttributeError: Sequential has no attribute `9`");
    expect(errorOf(() => model.setSubmodule("1.0", 3 as never))).toBe(
      "ValueError: `module` is not an nn.Module, found <class 'int'>",
    );
  });
});

describe("extra state", () => {
  class Counting extends nn.Module {
    count = 3;
    lin = new nn.Linear(1, 1);
    override getExtraState(): unknown {
      return { count: this.count };
    }
    override setExtraState(state: unknown): void {
      this.count = (state as { count: number }).count;
    }
  }

  it("travels with the parameters, before those of the children", () => {
    const state = new Counting().stateDict();
    expect(Object.keys(state)).toEqual(["_extra_state", "lin.weight", "lin.bias"]);
    const other = new Counting();
    other.count = 0;
    expect(String(other.loadStateDict(state))).toBe("<All keys matched successfully>");
    expect(other.count).toBe(3);
  });

  it("is missed where it is expected, and unexpected where nothing takes it", () => {
    const model = new Counting();
    const { _extra_state, ...rest } = model.stateDict();
    expect(errorOf(() => model.loadStateDict(rest))).toBe(
      'RuntimeError: Error(s) in loading state_dict for Counting:\n\tMissing key(s) in state_dict: "_extra_state". ',
    );
    const linear = new nn.Linear(1, 1);
    expect(errorOf(() => linear.loadStateDict({ ...linear.stateDict(), _extra_state: torch.ones(1) }))).toBe(
      'RuntimeError: Error(s) in loading state_dict for Linear:\n\tUnexpected key(s) in state_dict: "_extra_state". ',
    );
    expect(errorOf(() => linear.getExtraState())).toContain("Module.get_extra_state() that should never be called");
  });
});

describe("hooks around the state", () => {
  it("are called with the prefix, before and after collecting", () => {
    const model = new nn.Sequential(new nn.Linear(2, 2));
    const log: unknown[] = [];
    model.registerStateDictPreHook((module, prefix, keepVars) => {
      log.push([module.constructor.name, prefix, keepVars]);
    });
    model.get(0).registerStateDictPostHook((_, state, prefix, metadata) => {
      log.push([Object.keys(state), prefix, metadata]);
    });
    model.stateDict({ prefix: "x.", keepVars: true });
    expect(log).toEqual([
      ["Sequential", "x.", true],
      [["x.0.weight", "x.0.bias"], "x.0.", { version: 1 }],
    ]);
  });

  it("of loading see the dictionary first, and may forgive what is missing afterwards", () => {
    const model = new nn.Sequential(new nn.Linear(2, 2));
    const log: unknown[] = [];
    model.registerLoadStateDictPreHook((_module, state, prefix, _metadata, strict, missing, unexpected, errors) => {
      log.push([[...state.keys()], prefix, strict, [...missing], [...unexpected], [...errors]]);
    });
    const handle = model.registerLoadStateDictPostHook((_, keys) => {
      log.push(String(keys));
      keys.missingKeys.length = 0;
    });
    const part = { "0.weight": torch.ones(2, 2) };
    expect(String(model.loadStateDict(part))).toBe("<All keys matched successfully>");
    expect(log).toEqual([
      [["0.weight"], "", true, [], [], []],
      "_IncompatibleKeys(missing_keys=['0.bias'], unexpected_keys=[])",
    ]);
    handle.remove();
    expect(errorOf(() => model.loadStateDict(part))).toContain('Missing key(s) in state_dict: "0.bias". ');
  });

  it("that rename keys before loading leave the caller's dictionary as it was", () => {
    const model = new nn.Linear(1, 1, { bias: false });
    model.registerLoadStateDictPreHook((_, state, prefix) => {
      const old = state.get(`${prefix}kernel`);
      if (old) state.set(`${prefix}weight`, old);
      state.delete(`${prefix}kernel`);
    });
    const saved = { kernel: torch.full([1, 1], 5) };
    model.loadStateDict(saved);
    expect(model.weight.item()).toBe(5);
    expect(Object.keys(saved)).toEqual(["kernel"]);
  });

  it("must not return anything", () => {
    const model = new nn.Linear(1, 1);
    const state = model.stateDict();
    model.registerStateDictPostHook(() => 1);
    expect(errorOf(() => model.stateDict())).toBe("RuntimeError: state_dict post-hook must return None");
    model.registerLoadStateDictPostHook(() => 1);
    expect(errorOf(() => model.loadStateDict(state))).toMatch(
      /^AssertionError: Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return new values/,
    );
  });
});

describe("loading", () => {
  it("lists all that does not fit in one message", () => {
    const model = new nn.Linear(2, 1);
    expect(errorOf(() => model.loadStateDict({ weight: torch.ones(3), q: torch.ones(1) }))).toBe(
      `RuntimeError: Error(s) in loading state_dict for Linear:
\tMissing key(s) in state_dict: "bias". 
\tUnexpected key(s) in state_dict: "q". 
\tsize mismatch for weight: copying a param with shape torch.Size([3]) from checkpoint, the shape in current model is torch.Size([1, 2]).`,
    );
  });

  it("with assign takes the tensors themselves, as parameters that learn", () => {
    const model = new nn.Linear(2, 1);
    const weight = torch.ones(1, 2);
    model.loadStateDict({ weight, bias: torch.zeros(1) }, { assign: true });
    expect(model.weight).toBeInstanceOf(nn.Parameter);
    expect(model.weight.requiresGrad).toBe(true);
    weight.fill_(7);
    expect(model.weight.tolist()).toEqual([[7, 7]]);
  });

  it("adds to a dictionary that is given", () => {
    const destination = new nn.Linear(1, 1).stateDict();
    new nn.Linear(1, 1, { bias: false }).stateDict({ destination, prefix: "b." });
    expect(Object.keys(destination)).toEqual(["weight", "bias", "b.weight"]);
  });
});

describe("converting", () => {
  it("to a dtype leaves integers alone; a tensor stands for its own dtype; device and dtype may both be given", () => {
    const norm = new nn.BatchNorm1d(2).to(torch.float64);
    expect(norm.runningMean?.dtype).toBe(torch.float64);
    expect(norm.numBatchesTracked?.dtype).toBe(torch.int64);
    expect(norm.to(torch.ones(1)).weight?.dtype).toBe(torch.float32);
    expect(norm.to("cpu", torch.float64).weight?.dtype).toBe(torch.float64);
    expect(errorOf(() => norm.to(torch.int64))).toBe(
      "TypeError: nn.Module.to only accepts floating point or complex dtypes, but got desired dtype=torch.int64",
    );
  });

  it("toEmpty gives new memory to the same parameters", () => {
    const model = new nn.Linear(3, 2);
    const { weight } = model;
    const kept = model.weight.detach();
    expect(model.toEmpty({ device: "cpu" }).weight).toBe(weight);
    weight.detach().fill_(9);
    expect([...weight.shape]).toEqual([2, 3]);
    expect(kept.eq(9).any().item()).toBe(false);
  });

  it("zeroGrad with setToNone false keeps the gradient's tensor and fills it with zeros", () => {
    const model = new nn.Linear(2, 2);
    model(torch.ones(1, 2)).sum().backward();
    const { grad } = model.weight;
    model.zeroGrad({ setToNone: false });
    expect(model.weight.grad).toBe(grad);
    expect(grad?.tolist()).toEqual([
      [0, 0],
      [0, 0],
    ]);
  });
});

describe("names", () => {
  it("are repeated without removeDuplicate, and take a prefix", () => {
    const shared = new nn.Linear(1, 1);
    const model = new nn.Sequential(shared, shared);
    expect(names(model.namedParameters({ removeDuplicate: false }))).toEqual([
      "0.weight",
      "0.bias",
      "1.weight",
      "1.bias",
    ]);
    expect(names(model.namedModules({ removeDuplicate: false }))).toEqual(["", "0", "1"]);
    expect(names(model.namedParameters({ prefix: "p" }))).toEqual(["p.0.weight", "p.0.bias"]);
    expect(names(new nn.BatchNorm1d(1).namedBuffers({ prefix: "b", recurse: false }))).toEqual([
      "b.running_mean",
      "b.running_var",
      "b.num_batches_tracked",
    ]);
  });
});

describe("parameters as one vector", () => {
  it("are cut from it and share its memory", () => {
    const parameters = [new nn.Parameter(torch.zeros(2, 3)), new nn.Parameter(torch.zeros(2))];
    const vector = torch.arange(8, { dtype: torch.float32 });
    nn.utils.vectorToParameters(vector, parameters);
    expect(parameters.map((p) => p.tolist())).toEqual([
      [
        [0, 1, 2],
        [3, 4, 5],
      ],
      [6, 7],
    ]);
    vector.set([0], 9);
    expect(nn.utils.parametersToVector(parameters).tolist()).toEqual([9, 1, 2, 3, 4, 5, 6, 7]);
    expect(errorOf(() => nn.utils.vectorToParameters(torch.ones(7), parameters))).toBe(
      "RuntimeError: shape '[2]' is invalid for input of size 1",
    );
  });

  it("have a total norm, of any order", () => {
    expect(nn.utils.getTotalNorm([torch.ones(4), torch.ones(5)]).item()).toBe(3);
    expect(nn.utils.getTotalNorm(torch.tensor([-3.5, 2.5]), { normType: Number.POSITIVE_INFINITY }).item()).toBe(3.5);
    expect(String(nn.utils.getTotalNorm([]))).toBe("tensor(0.)");
    expect(errorOf(() => nn.utils.getTotalNorm([torch.tensor([Number.NaN])], { errorIfNonfinite: true }))).toMatch(
      /^RuntimeError: The total norm of order 2\.0 for gradients from `parameters` is non-finite/,
    );
  });
});

describe("a dictionary of parameters", () => {
  it("registers what is put into it, sorted where it comes from a plain object", () => {
    const dict = new nn.ParameterDict({ b: torch.zeros(2, 3), a: new nn.Parameter(torch.zeros(2).double()) });
    expect(String(dict)).toBe(`ParameterDict(
    (a): Parameter containing: [torch.DoubleTensor of size 2]
    (b): Parameter containing: [torch.FloatTensor of size 2x3]
)`);
    expect(names(dict.namedParameters())).toEqual(["a", "b"]);
    expect(names(new nn.ParameterDict([["z", torch.ones(1)]]).update(dict).items())).toEqual(["z", "a", "b"]);
  });

  it("gives, takes out and misses as Python's", () => {
    const dict = new nn.ParameterDict(new Map([["w", torch.ones(1)]]));
    expect(dict.get("q")).toBeNull();
    expect(dict.setdefault("w", torch.zeros(1)).item()).toBe(1);
    expect(errorOf(() => dict.pop("b"))).toBe("AttributeError: 'ParameterDict' object has no attribute 'b'");
    expect(errorOf(() => dict.delete("b"))).toBe("KeyError: 'b'");
    expect(dict.popitem()[0]).toBe("w");
    expect(errorOf(() => dict.popitem())).toBe("KeyError: 'popitem(): dictionary is empty'");
    expect(errorOf(() => new nn.ParameterDict(3 as never))).toBe(
      "TypeError: ParametersDict.update should be called with an iterable of key/value pairs, but got int",
    );
  });
});
