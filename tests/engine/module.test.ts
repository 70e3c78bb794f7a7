import { describe, expect, it } from "vitest";
import { setRecorder } from "../../engine/inspect/recorder.ts";
import * as torch from "../../engine/torch.ts";

const { nn } = torch;
type Tensor = torch.Tensor;

class Tudui extends nn.Module {
  conv1 = new nn.Conv2d(3, 6, 3);
  pool = new nn.MaxPool2d(2, { ceilMode: true });
  declare scale: torch.nn.Parameter;
  declare seen: Tensor;

  constructor() {
    super();
    this.scale = new nn.Parameter(torch.ones(2));
    this.registerBuffer("seen", torch.zeros(3));
  }

  override forward(x: Tensor): Tensor {
    return this.pool(this.conv1(x));
  }
}

const names = (pairs: Iterable<readonly [string, unknown]>) => Array.from(pairs, ([name]) => name);

describe("a module is a function that keeps what it is made of", () => {
  it("runs its forward when called, and is still an instance of its class", () => {
    const model = new Tudui();
    expect(typeof model).toBe("function");
    expect(model).toBeInstanceOf(Tudui);
    expect(model).toBeInstanceOf(nn.Module);
    expect([...model(torch.rand(1, 3, 8, 8)).shape]).toEqual([1, 6, 3, 3]);
  });

  it("registers parameters, buffers and modules by assignment and by class fields, in order", () => {
    const model = new Tudui();
    expect(names(model.namedParameters())).toEqual(["scale", "conv1.weight", "conv1.bias"]);
    expect(names(model.namedBuffers())).toEqual(["seen"]);
    expect(names(model.namedChildren())).toEqual(["conv1", "pool"]);
    expect(Object.keys(model.stateDict())).toEqual(["scale", "seen", "conv1.weight", "conv1.bias"]);
  });

  it("forgets what is deleted or replaced by something of another kind", () => {
    const model = new Tudui();
    Reflect.deleteProperty(model, "pool");
    Object.assign(model, { conv1: new nn.Parameter(torch.ones(1)) });
    expect(names(model.namedParameters())).toEqual(["scale", "conv1"]);
    expect(names(model.namedChildren())).toEqual([]);
  });

  it("takes a field that is declared without a value", () => {
    class Late extends nn.Module {
      weight: torch.nn.Parameter | undefined;
      constructor() {
        super();
        this.registerParameter("weight", new nn.Parameter(torch.ones(1)));
      }
    }
    expect(names(new Late().namedParameters())).toEqual(["weight"]);
  });

  it("leaves private fields and accessors of a learner's class alone", () => {
    class Counting extends nn.Module {
      #calls = 0;
      get calls(): number {
        return this.#calls;
      }
      override forward(x: Tensor): Tensor {
        this.#calls++;
        return x;
      }
    }
    const model = new Counting();
    model(torch.ones(1));
    model(torch.ones(1));
    expect(model.calls).toBe(2);
  });

  it("names shared modules and parameters once", () => {
    const layer = new nn.Linear(2, 2);
    const twice = new nn.Sequential(layer, layer);
    expect(names(twice.namedParameters())).toEqual(["0.weight", "0.bias"]);
    expect(names(twice.namedParameters({ removeDuplicate: false }))).toHaveLength(4);
    expect([...twice.modules()]).toHaveLength(2);
  });

  it.each<[string, (m: Tudui) => unknown, string]>([
    [
      "a number for a module",
      (m) => Object.assign(m, { conv1: 3 }),
      "cannot assign 'int' as child module 'conv1' (torch.nn.Module or None expected)",
    ],
    [
      "a module for a parameter",
      (m) => Object.assign(m, { scale: new nn.ReLU() }),
      "cannot assign 'ReLU' as parameter 'scale' (torch.nn.Parameter or None expected)",
    ],
    [
      "a tensor for a parameter",
      (m) => Object.assign(m, { scale: torch.ones(1) }),
      "cannot assign 'torch.FloatTensor' as parameter 'scale' (torch.nn.Parameter or None expected)",
    ],
    [
      "a number for a buffer",
      (m) => Object.assign(m, { seen: 3 }),
      "cannot assign 'int' as buffer 'seen' (torch.nn.Buffer, torch.Tensor or None expected)",
    ],
    ["a taken name", (m) => m.registerBuffer("scale", null), "attribute 'scale' already exists"],
    ["a dotted name", (m) => m.registerParameter("a.b", null), 'parameter name can\'t contain "."'],
    ["no name", (m) => m.registerParameter("", null), 'parameter name can\'t be empty string ""'],
    [
      "a computed parameter",
      (m) => m.registerParameter("q", new nn.Parameter(torch.ones(1)).mul(2) as never),
      "cannot assign 'torch.FloatTensor' object to parameter 'q' (torch.nn.Parameter or None required)",
    ],
    ["a class for a module", (m) => m.addModule("z", nn.ReLU as never), "ReLU is not a Module subclass"],
    ["a wrong path", (m) => m.getSubmodule("conv1.foo"), "Conv2d has no attribute `foo`"],
    ["a buffer for a parameter", (m) => m.getParameter("seen"), "`seen` is not an nn.Parameter"],
    ["a mode that is none", (m) => m.train(3 as never), "training mode is expected to be boolean"],
  ])("says PyTorch's words for %s", (_, wrong, message) => {
    expect(() => wrong(new Tudui())).toThrow(message);
  });
});

describe("modes and conversions", () => {
  it("train and eval reach every module inside", () => {
    const model = new nn.Sequential(new Tudui(), new nn.ReLU());
    expect(model.eval()).toBe(model);
    expect([...model.modules()].map((m) => m.training)).toEqual([false, false, false, false, false]);
    expect([...model.train().modules()].every((m) => m.training)).toBe(true);
  });

  it("double keeps the parameters' identity, so an optimizer made before goes on", () => {
    const layer = new nn.Linear(2, 1);
    const { weight } = layer;
    const optimizer = new torch.optim.SGD(layer.parameters(), { lr: 1 });
    layer.double();
    expect(layer.weight).toBe(weight);
    expect(String(weight.dtype)).toBe("torch.float64");
    const before = weight.tolist();
    layer(torch.ones(1, 2, { dtype: torch.float64 }))
      .sum()
      .backward();
    optimizer.step();
    expect(weight.tolist()).toEqual([(before as number[][])[0]!.map((w) => w - 1)]);
    expect(() => layer.to(torch.int64)).toThrow("nn.Module.to only accepts floating point or complex dtypes");
  });

  it("zeroGrad forgets gradients, requiresGrad_ freezes, apply goes innermost first", () => {
    const model = new nn.Sequential(new nn.Linear(2, 2), new nn.ReLU());
    model(torch.ones(1, 2)).sum().backward();
    model.zeroGrad({ setToNone: false });
    expect(model.getParameter("0.weight").grad?.tolist()).toEqual([
      [0, 0],
      [0, 0],
    ]);
    model.zeroGrad();
    expect(model.getParameter("0.weight").grad).toBeNull();
    model.requiresGrad_(false);
    expect(model(torch.ones(1, 2)).requiresGrad).toBe(false);
    const visited: string[] = [];
    model.apply((m) => visited.push(m.constructor.name));
    expect(visited).toEqual(["Linear", "ReLU", "Sequential"]);
  });
});

describe("state", () => {
  it("goes from one module to another", () => {
    const [a, b] = [new nn.Linear(2, 3), new nn.Linear(2, 3)];
    const { weight } = b;
    expect(String(b.loadStateDict(a.stateDict()))).toBe("<All keys matched successfully>");
    expect(b.weight).toBe(weight);
    expect(b.weight.tolist()).toEqual(a.weight.tolist());
  });

  it("prints as Python's OrderedDict", () => {
    const layer = new nn.Linear(1, 1, { bias: false });
    torch.nn.init.ones_(layer.weight);
    expect(String(layer.stateDict())).toBe("OrderedDict([('weight', tensor([[1.]]))])");
  });

  it("without strict says what was missing and what was too much", () => {
    const keys = new nn.Linear(1, 1).loadStateDict(
      { weight: torch.ones(1, 1), extra: torch.ones(1) },
      { strict: false },
    );
    expect(String(keys)).toBe("_IncompatibleKeys(missing_keys=['bias'], unexpected_keys=['extra'])");
  });

  it("leaves out buffers that are not persistent", () => {
    class Caching extends nn.Module {
      constructor() {
        super();
        this.registerBuffer("cache", torch.zeros(1), { persistent: false });
      }
    }
    expect(Object.keys(new Caching().stateDict())).toEqual([]);
    expect(names(new Caching().namedBuffers())).toEqual(["cache"]);
  });
});

describe("hooks", () => {
  it("see and replace inputs and output, in order, until they are removed", () => {
    const layer = new nn.Identity();
    const log: string[] = [];
    layer.registerForwardPreHook((_, [x]) => {
      log.push("pre");
      return x!.add(1);
    });
    const handle = layer.registerForwardHook((_, [x], y) => {
      log.push(`after ${x!.item()}`);
      return y.mul(10);
    });
    layer.registerForwardHook(() => log.push("first"), { prepend: true });
    expect(layer(torch.tensor(1)).item()).toBe(20);
    expect(log).toEqual(["pre", "first", "after 2"]);
    handle.remove();
    expect(layer(torch.tensor(1)).item()).toBe(2);
  });

  it("called always run even where forward throws", () => {
    const layer = new nn.Linear(2, 2);
    let seen = 0;
    layer.registerForwardHook(() => seen++, { alwaysCall: true });
    expect(() => layer(torch.ones(1, 3))).toThrow("mat1 and mat2 shapes cannot be multiplied (1x3 and 2x2)");
    expect(seen).toBe(1);
  });

  it("of backward see the gradients of outputs and inputs, and may change the latter", () => {
    const layer = new nn.Linear(2, 3);
    torch.nn.init.ones_(layer.weight);
    const log: unknown[] = [];
    layer.registerFullBackwardPreHook((_, [grad]) => {
      log.push(grad?.tolist());
    });
    layer.registerFullBackwardHook((_, [gradInput], [gradOutput]) => {
      log.push(gradInput?.tolist(), gradOutput?.tolist());
      return [gradInput!.mul(2)];
    });
    const x = torch.ones(1, 2, { requiresGrad: true });
    const y = layer(x);
    expect(y.gradFn?.name).toBe("BackwardHookFunctionBackward");
    y.sum().backward();
    expect(log).toEqual([[[1, 1, 1]], [[3, 3]], [[1, 1, 1]]]);
    expect(x.grad?.tolist()).toEqual([[6, 6]]);
    expect(layer.weight.grad?.tolist()).toEqual([
      [1, 1],
      [1, 1],
      [1, 1],
    ]);
  });

  it("of backward are called where no input wants a gradient, too", () => {
    const layer = new nn.Linear(2, 1);
    const seen: unknown[] = [];
    layer.registerFullBackwardHook((_, gradInputs) => {
      seen.push(gradInputs);
    });
    layer(torch.ones(1, 2)).sum().backward();
    expect(seen).toEqual([[null]]);
  });
});

describe("what visualizers learn of a call", () => {
  it("is the dotted name of the layer that made it, seen from the model", () => {
    class Net extends nn.Module {
      layers = new nn.ModuleList([new nn.Conv2d(1, 1, 1), new nn.Sequential(new nn.Conv2d(1, 1, 1))]);
      override forward(x: Tensor): Tensor {
        let value = x;
        for (const layer of this.layers) value = layer(value);
        return value;
      }
    }
    const modules: string[] = [];
    const before = setRecorder((draft) => modules.push(draft.take().module));
    try {
      const net = new Net();
      net(torch.ones(1, 1, 2, 2));
      net.layers.get(0)(torch.ones(1, 1, 2, 2));
      new nn.Conv2d(1, 1, 1)(torch.ones(1, 1, 2, 2));
    } finally {
      setRecorder(before);
    }
    expect(modules).toEqual(["layers.0", "layers.1.0", "layers.0", ""]);
  });
});

describe("containers", () => {
  it("Sequential can be made from names, indexed, changed and cut", () => {
    const model = new nn.Sequential({ flat: new nn.Flatten(), head: new nn.Linear(4, 2) });
    expect(names(model.namedChildren())).toEqual(["flat", "head"]);
    expect(model.length).toBe(2);
    expect(model.get(-1)).toBe(model.getSubmodule("head"));
    model.append(new nn.ReLU()).insert(0, new nn.Identity());
    expect([...model].map((m) => m.constructor.name)).toEqual(["Identity", "Flatten", "Linear", "ReLU"]);
    expect(names(model.namedChildren())).toEqual(["0", "1", "2", "3"]);
    expect(String(model.slice(1, 3).get(0))).toBe("Flatten(start_dim=1, end_dim=-1)");
    expect(String(model.pop())).toBe("ReLU()");
    expect(model.length).toBe(3);
    expect(() => new nn.Sequential([new nn.ReLU()] as never)).toThrow("list is not a Module subclass");
    expect(() => model.get(9)).toThrow("index 9 is out of range");
  });

  it("ModuleDict goes by name, ParameterList makes parameters of tensors", () => {
    const dict = new nn.ModuleDict({ a: new nn.ReLU(), b: new nn.Linear(1, 1) });
    expect([...dict]).toEqual(["a", "b"]);
    expect(dict.has("a")).toBe(true);
    dict.pop("a");
    expect(names(dict.namedModules())).toEqual(["", "b"]);
    expect(() => dict.get("a")).toThrow("'a'");
    const list = new nn.ParameterList([torch.ones(2, 3), torch.ones(1)]);
    expect(names(list.namedParameters())).toEqual(["0", "1"]);
    expect(String(list)).toBe(
      "ParameterList(\n    (0): Parameter containing: [torch.float32 of size 2x3]\n    (1): Parameter containing: [torch.float32 of size 1]\n)",
    );
    expect(() => list()).toThrow("ParameterList should not be called.");
  });
});

describe("layers", () => {
  it("take everything as keywords, as the tutorial writes them", () => {
    const conv = new nn.Conv2d({ inChannels: 3, outChannels: 6, kernelSize: 3, stride: 1, padding: 0 });
    expect(String(conv)).toBe("Conv2d(3, 6, kernel_size=(3, 3), stride=(1, 1))");
    expect(String(new nn.MaxPool2d({ kernelSize: 3, ceilMode: true }))).toContain("ceil_mode=True");
  });

  it("name the argument that is missing or unknown", () => {
    expect(() => Reflect.construct(nn.Conv2d, [3, 6])).toThrow(
      "Conv2d.__init__() missing 1 required positional argument: 'kernel_size'",
    );
    expect(() => Reflect.construct(nn.Linear, [3, 2, { Bias: true }])).toThrow(
      /unexpected keyword argument 'Bias'.*bias/s,
    );
  });

  it("give the winners' positions with returnIndices, typed as a pair", () => {
    const [output, indices] = new nn.MaxPool2d(2, { returnIndices: true })(
      torch.tensor([
        [
          [1, 2],
          [4, 3.5],
        ],
      ]),
    );
    expect(output.tolist()).toEqual([[[4]]]);
    expect(indices.tolist()).toEqual([[[2]]]);
  });

  it("pad with mirrored, repeated or wrapped cells", () => {
    for (const paddingMode of ["reflect", "replicate", "circular"] as const) {
      const conv = new nn.Conv2d(1, 1, 3, { padding: "same", paddingMode, bias: false });
      torch.nn.init.dirac_(conv.weight);
      const x = torch.rand(1, 1, 4, 5);
      expect(conv(x).tolist()).toEqual(x.tolist());
    }
  });
});
