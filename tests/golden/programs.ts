/** The short programs of errors.json in the engine's words, by their line of Python. */
import { DataLoader, randomSplit, TensorDataset } from "../../engine/data/index.ts";
import * as torch from "../../engine/torch.ts";
import { type Constructor, lookUp } from "./names.ts";

const { nn } = torch;

const leaf = () => torch.ones(2, { requiresGrad: true });

/** An optimizer by name, so that one which is yet to come needs no import. */
function optimizer(name: string, options: Record<string, unknown>, params: unknown = new nn.Linear(1, 1).parameters()) {
  const Class = lookUp(`torch.optim.${name}`) as unknown as Constructor;
  return new Class(params, options) as unknown as { step(): void };
}

function scheduler(name: string, target: unknown, options: Record<string, unknown>): { step(): void } {
  const Class = lookUp(`torch.optim.lr_scheduler.${name}`) as unknown as Constructor;
  return new Class(target, options) as unknown as { step(): void };
}

/** y of x is changed in place after it was saved for backward. */
function changedResult(make: (x: torch.Tensor) => torch.Tensor): void {
  const y = make(leaf());
  y.add_(1);
  y.sum().backward();
}

const sgd = () => optimizer("SGD", { lr: 0.1 });

export const PROGRAMS: Record<string, () => unknown> = {
  "torch.ones(3, requires_grad=True).mul(2).backward()": () => torch.ones(3, { requiresGrad: true }).mul(2).backward(),
  "x = torch.ones(2, requires_grad=True); y = (x * x).sum(); y.backward(); y.backward()": () => {
    const x = leaf();
    const y = x.mul(x).sum();
    y.backward();
    y.backward();
  },
  "x = torch.ones(2, requires_grad=True); x.add_(1)": () => leaf().add_(1),
  "x = torch.ones(2, requires_grad=True); x.zero_()": () => leaf().zero_(),
  "x = torch.ones(2, requires_grad=True); x[0] = 1.0": () => leaf().set([0], 1),
  "x = torch.ones(2, requires_grad=True); x.mul_(2)": () => leaf().mul_(2),
  "x = torch.ones(2, requires_grad=True); y = x.exp(); y.add_(1); y.sum().backward()": () =>
    changedResult((x) => x.exp()),
  "x = torch.ones(2, requires_grad=True); y = x.sigmoid(); y.add_(1); y.sum().backward()": () =>
    changedResult((x) => x.sigmoid()),
  "x = torch.ones(2, requires_grad=True); y = x.tanh(); y.add_(1); y.sum().backward()": () =>
    changedResult((x) => x.tanh()),
  "x = torch.ones(2, requires_grad=True); y = x.sqrt(); y.add_(1); y.sum().backward()": () =>
    changedResult((x) => x.sqrt()),
  "x = torch.ones(2, requires_grad=True); y = x * 2; z = y * y; y.add_(1); z.sum().backward()": () => {
    const y = leaf().mul(2);
    const z = y.mul(y);
    y.add_(1);
    z.sum().backward();
  },
  "x = torch.ones(2, requires_grad=True); y = x * 2; z = y * y; y.mul_(1); z.sum().backward()": () => {
    const y = leaf().mul(2);
    const z = y.mul(y);
    y.mul_(1);
    z.sum().backward();
  },
  "torch.ones(2).sum().backward()": () => torch.ones(2).sum().backward(),
  "torch.tensor(1.0).backward()": () => torch.tensor(1, { dtype: torch.float32 }).backward(),
  "x = torch.ones(2, requires_grad=True); y = x.detach().sum(); y.backward()": () => leaf().detach().sum().backward(),
  "x = torch.ones(2, requires_grad=True); (x * 2).backward(torch.ones(3))": () => leaf().mul(2).backward(torch.ones(3)),
  "x = torch.ones(2, requires_grad=True); w = torch.ones(2, requires_grad=True); torch.autograd.grad(x.sum(), w)": () =>
    torch.autograd.grad(leaf().sum(), leaf()),
  "x = torch.ones(2, requires_grad=True); x.numpy()": () => leaf().numpy(),
  "x = torch.ones(2, requires_grad=True); y = x * 2; y.requires_grad = False": () => {
    leaf().mul(2).requiresGrad = false;
  },
  "torch.tensor([1, 2], requires_grad=True)": () => torch.tensor([1, 2], { requiresGrad: true }),
  "torch.tensor([1, 2]).requires_grad_()": () => torch.tensor([1, 2]).requiresGrad_(),
  "bool(torch.zeros(2))": () => Boolean(torch.zeros(2)),
  "float(torch.zeros(2))": () => Number(torch.zeros(2)),
  "int(torch.zeros(2))": () => Math.trunc(Number(torch.zeros(2))),
  "torch.zeros(2, 3).item()": () => torch.zeros(2, 3).item(),
  "len(torch.tensor(1.0))": () => torch.tensor(1).length,
  "for v in torch.tensor(1.0): pass": () => [...torch.tensor(1)],
  "torch.tensor(1.0)[0]": () => torch.tensor(1).get(0),
  "torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=-0.1)": () => optimizer("SGD", { lr: -0.1 }),
  "torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.1, momentum=-0.5)": () =>
    optimizer("SGD", { lr: 0.1, momentum: -0.5 }),
  "torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.1, nesterov=True)": () =>
    optimizer("SGD", { lr: 0.1, nesterov: true }),
  "torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.1, weight_decay=-1)": () =>
    optimizer("SGD", { lr: 0.1, weightDecay: -1 }),
  "torch.optim.Adam(nn.Linear(1, 1).parameters(), lr=-1.0)": () => optimizer("Adam", { lr: -1 }),
  "torch.optim.Adam(nn.Linear(1, 1).parameters(), betas=(1.5, 0.9))": () => optimizer("Adam", { betas: [1.5, 0.9] }),
  "torch.optim.Adam(nn.Linear(1, 1).parameters(), betas=(0.9, -0.1))": () => optimizer("Adam", { betas: [0.9, -0.1] }),
  "torch.optim.Adam(nn.Linear(1, 1).parameters(), eps=-1.0)": () => optimizer("Adam", { eps: -1 }),
  "torch.optim.Adam(nn.Linear(1, 1).parameters(), weight_decay=-0.5)": () => optimizer("Adam", { weightDecay: -0.5 }),
  "torch.optim.RMSprop(nn.Linear(1, 1).parameters(), lr=-0.1)": () => optimizer("RMSprop", { lr: -0.1 }),
  "torch.optim.Adagrad(nn.Linear(1, 1).parameters(), lr=-0.1)": () => optimizer("Adagrad", { lr: -0.1 }),
  "torch.optim.Adadelta(nn.Linear(1, 1).parameters(), lr=-0.1)": () => optimizer("Adadelta", { lr: -0.1 }),
  "torch.optim.AdamW(nn.Linear(1, 1).parameters(), lr=-0.1)": () => optimizer("AdamW", { lr: -0.1 }),
  "torch.optim.SGD([], lr=0.1)": () => optimizer("SGD", { lr: 0.1 }, []),
  "torch.optim.SGD(torch.zeros(2), lr=0.1)": () => optimizer("SGD", { lr: 0.1 }, torch.zeros(2)),
  "torch.optim.SGD([1, 2], lr=0.1)": () => optimizer("SGD", { lr: 0.1 }, [1, 2]),
  "torch.optim.SGD([torch.ones(1, requires_grad=True) * 2], lr=0.1)": () =>
    optimizer("SGD", { lr: 0.1 }, [leaf().mul(2)]),
  "o = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.1); torch.optim.lr_scheduler.OneCycleLR(o, max_lr=0.1)": () =>
    scheduler("OneCycleLR", sgd(), { maxLr: 0.1 }),
  "o = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.1); s = torch.optim.lr_scheduler.OneCycleLR(o, max_lr=0.1, total_steps=2); [(o.step(), s.step()) for _ in range(5)]":
    () => {
      const o = sgd();
      const s = scheduler("OneCycleLR", o, { maxLr: 0.1, totalSteps: 2 });
      for (let i = 0; i < 5; i++) {
        o.step();
        s.step();
      }
    },
  "o = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.1); torch.optim.lr_scheduler.ReduceLROnPlateau(o, factor=1.0)":
    () => scheduler("ReduceLROnPlateau", sgd(), { factor: 1 }),
  'nn.Linear(2, 2).load_state_dict({"weight": torch.zeros(2, 2)})': () =>
    new nn.Linear(2, 2).loadStateDict({ weight: torch.zeros(2, 2) }),
  'nn.Linear(2, 2).load_state_dict({"weight": torch.zeros(2, 2), "bias": torch.zeros(2), "extra": torch.zeros(1)})':
    () => new nn.Linear(2, 2).loadStateDict({ weight: torch.zeros(2, 2), bias: torch.zeros(2), extra: torch.zeros(1) }),
  'nn.Linear(2, 2).load_state_dict({"weight": torch.zeros(3, 2), "bias": torch.zeros(3)})': () =>
    new nn.Linear(2, 2).loadStateDict({ weight: torch.zeros(3, 2), bias: torch.zeros(3) }),
  "nn.Linear(2, 2).foo": () => Reflect.get(new nn.Linear(2, 2), "foo"),
  "nn.Module()(torch.zeros(1))": () => new nn.Module()(torch.zeros(1)),
  "nn.Sequential(nn.ReLU())[1]": () => new nn.Sequential(new nn.ReLU()).get(1),
  "nn.Linear(2, 2).weight = torch.zeros(2, 2)": () => {
    // What the compiler refuses, a cell may still run.
    new nn.Linear(2, 2).weight = torch.zeros(2, 2) as InstanceType<typeof nn.Parameter>;
  },
  "torch.utils.data.DataLoader(torch.utils.data.TensorDataset(torch.zeros(4)), batch_size=0)": () =>
    new DataLoader(new TensorDataset(torch.zeros(4)), { batchSize: 0 }),
  "torch.utils.data.TensorDataset(torch.zeros(3), torch.zeros(2))": () =>
    new TensorDataset(torch.zeros(3), torch.zeros(2)),
  "torch.utils.data.random_split(torch.utils.data.TensorDataset(torch.zeros(5)), [2, 2])": () =>
    randomSplit(new TensorDataset(torch.zeros(5)), [2, 2]),
  "torch.zeros(2, 3).t().view(6)": () => torch.zeros(2, 3).t().view(6),
};
