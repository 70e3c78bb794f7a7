/** Wrong calls of modules throw what PyTorch throws; nothing of JavaScript's own comes through. */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import * as errors from "../../engine/core/errors.ts";
import { readParameters } from "../../engine/nn/calls.ts";
import * as F from "../../engine/nn/functional.ts";
import * as torch from "../../engine/torch.ts";
import { load, type ModuleCase, type Stored } from "../golden/cases.ts";
import { buildModule } from "../golden/names.ts";
import { callArguments } from "../golden/run.ts";
import { toValue } from "../golden/values.ts";

const { nn } = torch;
type Tensor = torch.Tensor;

// What many of these modules warn of is not the matter here.
const silent = vi.spyOn(console, "warn");
beforeAll(() => void silent.mockImplementation(() => {}));
afterAll(() => silent.mockRestore());

const ERRORS = Object.values(errors).filter((member) => typeof member === "function");

/** What a call throws, or null. */
function thrownBy(run: () => unknown): Error | null {
  try {
    run();
    return null;
  } catch (error) {
    expect(ERRORS, String(error)).toContain((error as Error).constructor);
    expect((error as Error).message).not.toMatch(/undefined|is not a function|Cannot |\[object/);
    return error as Error;
  }
}

function tensorsIn(value: unknown): Tensor[] {
  if (value instanceof torch.Tensor) return [value];
  return Array.isArray(value) ? value.flatMap(tensorsIn) : [];
}

/** Options that are floats, as `dropout: 0` may be one. */
const FLOATS = /^(dropout|margin|eps|momentum|scaleFactor|labelSmoothing|alpha|beta|delta|threshold|init)$/;
/** Layers whose arguments by position are floats. */
const FLOAT_LAYERS = /\.(ELU|CELU|LeakyReLU|Dropout)$/;

type Change = (value: Stored) => Pick<ModuleCase, "args" | "options">;

/** Every number among the arguments, with what puts another value in its place. */
function numbersOf({ module, args, options }: ModuleCase): { where: string; whole: boolean; change: Change }[] {
  const byPosition = args.flatMap((arg, i) =>
    typeof arg === "number"
      ? [
          {
            where: `${i}`,
            whole: !FLOAT_LAYERS.test(module),
            change: (v: Stored) => ({ args: args.with(i, v), options }),
          },
        ]
      : [],
  );
  const byName = Object.entries(options).flatMap(([name, option]) =>
    typeof option === "number"
      ? [
          {
            where: name,
            whole: !FLOATS.test(name),
            change: (v: Stored) => ({ args, options: { ...options, [name]: v } }),
          },
        ]
      : [],
  );
  return [...byPosition, ...byName];
}

const recorded = load("modules").filter(({ inputs }) => inputs !== undefined);

function build({ module, args, options }: Pick<ModuleCase, "module" | "args" | "options">) {
  return buildModule([module, args, options], toValue);
}

function callOf({ inputs = [], callOptions }: ModuleCase): unknown[] {
  return callArguments(
    inputs.map((input) => toValue(input)),
    [],
    callOptions,
  );
}

describe("modules as recorded, called wrongly", () => {
  it.each(recorded)("$python", (golden) => {
    const name = golden.module.slice("nn.".length);
    const given = callOf(golden);
    const last = given.at(-1);
    const named = last !== undefined && !(last instanceof torch.Tensor);
    const inputs = named ? given.slice(0, -1) : given;
    const module = build(golden);

    if (name !== "Identity" && name !== "Sequential") {
      const odd = { ...golden, options: { ...golden.options, zzz: 1 } };
      expect(thrownBy(() => build(odd))?.message).toMatch(/__init__\(\) got an unexpected keyword argument 'zzz'/);
    }
    const surplus = Array.from({ length: 12 }, () => torch.ones(1));
    expect(thrownBy(() => module(...inputs, ...surplus))?.message).toMatch(/forward\(\) takes .* but \d+ were given/);
    expect(thrownBy(() => module(...inputs, { zzz: 1 }))?.message).toMatch(/unexpected keyword argument 'zzz'/);
    expect(thrownBy(() => module())?.message).toMatch(/forward\(\) missing \d required positional argument/);

    for (const { where, whole, change } of numbersOf(golden)) {
      for (const wrong of [Number.NaN, 0.5, "2", null, -1]) {
        const changed = { ...golden, ...change(wrong) };
        let shown = "";
        let output: unknown = null;
        const error = thrownBy(() => {
          const odd = build(changed);
          shown = String(odd);
          output = [odd(...given), [...odd.parameters()]];
        });
        const call = `${name}: ${where} = ${wrong}`;
        expect(shown, call).not.toMatch(/undefined|null|NaN|\[object/);
        // An InstanceNorm without factors of its own only warns where the number of channels is another.
        const only = name.startsWith("InstanceNorm") && [...module.parameters()].length === 0;
        if (whole && !only && wrong !== null && wrong !== -1) expect(error, call).not.toBeNull();
        for (const { shape } of tensorsIn(output)) {
          expect(
            shape.every((size) => Number.isInteger(size) && size >= 0),
            `${call} gives ${shape}`,
          ).toBe(true);
        }
      }
    }
  });
});

describe("calls by keyword", () => {
  const [a, b] = [torch.ones(2), torch.zeros(2)];

  it("layers take their inputs by name", () => {
    const loss = new nn.MSELoss() as unknown as (...inputs: unknown[]) => Tensor;
    expect([loss(a, { target: b }), loss({ input: a, target: b })].map((x) => x.item())).toEqual([1, 1]);
    const linear = new nn.Linear(2, 1) as unknown as (...inputs: unknown[]) => Tensor;
    expect(linear({ input: a }).tolist()).toEqual(linear(a).tolist());
  });

  it("a transposed convolution takes the size of its output as an option", () => {
    const up = new nn.ConvTranspose2d(1, 1, 3, { stride: 2 });
    const image = torch.ones(1, 1, 4, 4);
    expect(String(up(image, { outputSize: [10, 10] }).shape)).toBe("torch.Size([1, 1, 10, 10])");
    expect(String(up(image, [9, 10]).shape)).toBe("torch.Size([1, 1, 9, 10])");
    expect(() => up(image, { outputSize: [20, 20] })).toThrow(
      "requested an output size of [20, 20], but valid sizes range from [9, 9] to [10, 10] (for an input of torch.Size([4, 4]))",
    );
  });

  it.each<[string, (...args: never[]) => unknown, unknown[]]>([
    [
      "MSELoss.forward() got an unexpected keyword argument 'reduction'",
      new nn.MSELoss(),
      [a, b, { reduction: "sum" }],
    ],
    ["Linear.forward() takes 2 positional arguments but 3 were given", new nn.Linear(2, 3), [a, b]],
    ["Linear.forward() missing 1 required positional argument: 'input'", new nn.Linear(2, 3), []],
    ["_BatchNorm.forward() missing 1 required positional argument: 'input'", new nn.BatchNorm1d(2), []],
    ["Bilinear.forward() missing 1 required positional argument: 'input2'", new nn.Bilinear(2, 2, 2), [a]],
    ["_ConstantPadNd.forward() takes 2 positional arguments but 3 were given", new nn.ZeroPad2d(1), [a, 2]],
    ["Hardtanh.forward() takes 2 positional arguments but 3 were given", new nn.ReLU6(), [a, 2]],
    ["Sequential.forward() takes 2 positional arguments but 3 were given", new nn.Sequential(), [a, 2]],
    ["MSELoss.forward() got multiple values for argument 'input'", new nn.MSELoss(), [a, { input: b }]],
  ])("%s", (message, module, inputs) => {
    expect(thrownBy(() => Reflect.apply(module, undefined, inputs))?.message.split("\n")[0]).toBe(message);
  });
});

describe("forwards of one's own", () => {
  class Fixed extends nn.Module {
    override forward(x: unknown, _y?: unknown): unknown {
      return x;
    }
  }
  class Free extends nn.Module {
    override forward(x: unknown, scale = 1, { bias = 0 }: { bias?: number } = {}): unknown {
      return [x, scale, bias];
    }
  }
  class Rest extends nn.Module {
    override forward(...inputs: unknown[]): unknown {
      return inputs.length;
    }
  }
  const call = (module: torch.nn.Module, ...inputs: unknown[]) => Reflect.apply(module, undefined, inputs) as unknown;

  it("take as many inputs as they name, and no more", () => {
    expect(call(new Fixed(), 1)).toBe(1);
    expect(call(new Fixed(), { image: 2 })).toEqual({ image: 2 });
    expect(call(new Free(), 1, 2, { bias: 3 })).toEqual([1, 2, 3]);
    expect(call(new Free(), 1)).toEqual([1, 1, 0]);
    expect(call(new Rest(), 1, 2, 3)).toBe(3);
    expect(() => call(new Fixed(), 1, 2, 3)).toThrow("Fixed.forward() takes 3 positional arguments but 4 were given");
    expect(() => call(new Free(), 1, 2, {}, 4)).toThrow(
      "Free.forward() takes from 2 to 4 positional arguments but 5 were given",
    );
    expect(() => call(new Fixed(), 1, 2, { training: false })).toThrow(
      "Fixed.forward() got an unexpected keyword argument 'training'",
    );
    expect(() => call(new Fixed())).toThrow("Fixed.forward() missing 2 required positional arguments: 'x' and '_y'");
  });

  it("are named by the class that has them, and watched by hooks all the same", () => {
    class Child extends Fixed {}
    const child = new Child();
    child.registerForwardHook(() => {});
    expect(() => call(child, 1, 2, 3)).toThrow("Fixed.forward() takes 3 positional arguments but 4 were given");
  });

  it.each<[string, readonly string[] | null]>([
    ["forward(x) { return x; }", ["x"]],
    ["async forward(x, y) {}", ["x", "y"]],
    ["(x, { a, b } = {}, [c, d]) => x", ["x", "input2", "input3"]],
    ["x => x", ["x"]],
    ['forward(x, y = "a, b", z = f(1, 2) /* , w */) {}', ["x", "y", "z"]],
    ["forward(x,\n  // the mask, if any\n  mask = null,\n) {}", ["x", "mask"]],
    ["forward(x, ...more) {}", null],
    ["function (x) { return arguments.length; }", null],
    ["function () { [native code] }", null],
  ])("%s names %j", (source, names) => {
    expect(readParameters(source)).toEqual(names);
  });
});

describe("methods and constructors", () => {
  const layer = () => new nn.Linear(2, 2);
  const never = (value: unknown) => value as never;

  it.each<[string, string | null, () => unknown]>([
    [
      "Module.load_state_dict() got an unexpected keyword argument 'strickt'",
      "did you mean strict?",
      () => layer().loadStateDict(layer().stateDict(), never({ strickt: true })),
    ],
    [
      "Module.load_state_dict() missing 1 required positional argument: 'state_dict'",
      null,
      () => layer().loadStateDict(never(undefined)),
    ],
    [
      "Module.named_parameters() got an unexpected keyword argument 'recursive'",
      "did you mean recurse?",
      () => layer().namedParameters(never({ recursive: false })),
    ],
    [
      "Module.parameters() got an unexpected keyword argument 'recursive'",
      "did you mean recurse?",
      () => layer().parameters(never({ recursive: false })),
    ],
    [
      "Module.named_buffers() got an unexpected keyword argument 'prefixed'",
      "did you mean prefix?",
      () => layer().namedBuffers(never({ prefixed: "a" })),
    ],
    [
      "Module.named_modules() got an unexpected keyword argument 'recurse'",
      "it takes prefix, removeDuplicate",
      () => layer().namedModules(never({ recurse: false })),
    ],
    [
      "Module.state_dict() got an unexpected keyword argument 'keep_vars'",
      "here it is written keepVars",
      () => layer().stateDict(never({ keep_vars: true })),
    ],
    [
      "Module.zero_grad() got an unexpected keyword argument 'setToNon'",
      "did you mean setToNone?",
      () => layer().zeroGrad(never({ setToNon: true })),
    ],
    [
      "Module.register_buffer() got an unexpected keyword argument 'persist'",
      "did you mean persistent?",
      () => layer().registerBuffer("a", null, never({ persist: false })),
    ],
    [
      "Module.register_forward_hook() got an unexpected keyword argument 'prepended'",
      "did you mean prepend?",
      () => layer().registerForwardHook(() => {}, never({ prepended: true })),
    ],
    ["'int' object is not callable", null, () => layer().registerForwardHook(never(3))],
    [
      "Module.add_module() missing 1 required positional argument: 'module'",
      null,
      () => layer().addModule("a", never(undefined)),
    ],
    [
      "Module.to_empty() missing 1 required keyword-only argument: 'device'",
      null,
      () => layer().toEmpty(never(undefined)),
    ],
    [
      "Module.train() got an unexpected keyword argument 'mod'",
      "did you mean mode?",
      () => layer().train(never({ mod: true })),
    ],
    [
      "to() received an invalid combination of arguments - got (dtyp=torch.dtype, ), but expected one of:",
      null,
      () => layer().to(never({ dtyp: torch.float64 })),
    ],
    [
      "Sigmoid.__init__() got an unexpected keyword argument 'inplace'",
      null,
      () => Reflect.construct(nn.Sigmoid, [{ inplace: true }]),
    ],
    ["Tanh.__init__() takes 1 positional argument but 2 were given", null, () => Reflect.construct(nn.Tanh, [2])],
    [
      "Linear.__init__() takes from 3 to 6 positional arguments but 7 were given",
      null,
      () => Reflect.construct(nn.Linear, [1, 2, true, null, null, 6]),
    ],
    [
      "empty(): argument 'size' failed to unpack the object at pos 2 with error \"type must be tuple of ints,but got float\"",
      null,
      () => new nn.Linear(4.5, 3),
    ],
    [
      "empty(): argument 'size' (position 1) must be tuple of ints, but found element of type str at pos 0",
      null,
      () => new nn.Embedding(never("4"), 3),
    ],
    ["unsupported operand type(s) for %: 'NoneType' and 'int'", null, () => new nn.GroupNorm(2, never(null))],
    ["'<' not supported between instances of 'NoneType' and 'int'", null, () => new nn.Dropout(never(null))],
    [
      "unflattened_size must be a tuple of ints, but found type int",
      "put it into an array: [6]",
      () => new nn.Unflatten(1, never(6)),
    ],
    [
      "'list' object has no attribute 'detach'",
      "make a tensor of it first: new nn.Parameter(torch.tensor(…))",
      () => new nn.Parameter(never([1, 2])),
    ],
    [
      "constant_() missing 1 required positional argument: 'val'",
      null,
      () => nn.init.constant_(torch.ones(2), never(undefined)),
    ],
    [
      "ModuleDict update sequence element #0 should be Iterable; isLinear",
      "give each module a name: new nn.ModuleDict({ first: module })",
      () => new nn.ModuleDict(never([layer()])),
    ],
    [
      "torch.nn.functional.relu is not a Module subclass",
      "that is a function; call it in forward, or use the layer that does",
      () => new nn.Sequential(never(F.relu)),
    ],
    ["'NoneType' object is not callable", null, () => new nn.Sequential(never(null))(torch.ones(1))],
    [
      "embedding(): argument 'indices' (position 2) must be Tensor, not int",
      null,
      () => new nn.Embedding(10, 3)(never(3)),
    ],
    [
      "\"batch_norm\" not implemented for 'Long'",
      "convert it first: x.float()",
      () => new nn.BatchNorm1d(3)(torch.ones(2, 3, { dtype: torch.int64 })),
    ],
    [
      "expected input's size at dim=1 to match num_features (3), but got: 4.",
      null,
      () => new nn.InstanceNorm2d(3, { affine: true })(torch.ones(2, 4, 3, 3)),
    ],
  ])("%s", (message, hint, run) => {
    const [first, ...rest] = thrownBy(run)?.message.split("\n") ?? [];
    expect(first).toBe(message);
    if (hint !== null) expect(rest).toEqual([`hint: ${hint}`]);
  });

  it("a place that is left empty prints as None", () => {
    const text = "(\n  (0): ReLU()\n  (1): None\n)";
    expect(String(new nn.ModuleList([new nn.ReLU(), never(null)]))).toBe(`ModuleList${text}`);
    expect(String(new nn.Sequential(new nn.ReLU(), never(null)))).toBe(`Sequential${text}`);
  });

  it("an InstanceNorm of another number of channels warns", () => {
    silent.mockClear();
    new nn.InstanceNorm1d(7)(torch.ones(5, 3));
    expect(silent.mock.calls.flat().map(String)).toEqual([
      "UserWarning: input's size at dim=0 does not match num_features. You can silence this warning by not passing in num_features, which is not used because affine=False",
    ]);
  });
});
