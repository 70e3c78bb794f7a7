/** What all optimizers share. https://docs.pytorch.org/docs/2.13/optim.html */
import { noGrad } from "../autograd/mode.ts";
import { isOptions } from "../core/arguments.ts";
import { TypeError, ValueError } from "../core/errors.ts";
import { pythonTypeName, Tensor } from "../core/tensor.ts";

export type ParamGroup<O> = { params: Tensor[] } & O;

/** Parameters, or groups of them with options of their own. */
export type Params<O> = Iterable<Tensor> | Iterable<{ params: Iterable<Tensor> | Tensor } & Partial<O>>;

/** Updates parameters from their gradients. `O` are the options a group may have. */
export abstract class Optimizer<O extends object> {
  readonly paramGroups: ParamGroup<O>[] = [];
  readonly defaults: O;

  constructor(params: Params<O>, defaults: O) {
    this.defaults = defaults;
    if (params instanceof Tensor) {
      throw new TypeError(
        "params argument given to the optimizer should be an iterable of Tensors or dicts, but got torch.FloatTensor",
        { hint: "pass model.parameters(), or [tensor]" },
      );
    }
    const list = [...params] as (Tensor | ({ params: Iterable<Tensor> | Tensor } & Partial<O>))[];
    if (list.length === 0) throw new ValueError("optimizer got an empty parameter list");
    const grouped = isOptions(list[0]);
    if (!grouped) this.addParamGroup({ params: list as Tensor[] } as never);
    else for (const group of list) this.addParamGroup(group as { params: Iterable<Tensor> | Tensor } & Partial<O>);
  }

  /** Adds parameters with options of their own; what they leave out is the optimizer's. */
  addParamGroup(group: { params: Iterable<Tensor> | Tensor } & Partial<O>): void {
    const params = group.params instanceof Tensor ? [group.params] : [...group.params];
    for (const param of params) {
      if (!(param instanceof Tensor))
        throw new TypeError(`optimizer can only optimize Tensors, but one of the params is ${pythonTypeName(param)}`);
      if (!param.isLeaf) throw new ValueError("can't optimize a non-leaf Tensor");
      if (this.paramGroups.some((g) => g.params.includes(param))) {
        throw new ValueError("some parameters appear in more than one parameter group");
      }
    }
    this.paramGroups.push({ ...this.defaults, ...group, params } as ParamGroup<O>);
  }

  /** Forgets the gradients: sets them to null, or with `setToNone: false` to zero. */
  zeroGrad({ setToNone = true }: { setToNone?: boolean } = {}): void {
    for (const { params } of this.paramGroups) {
      for (const param of params) {
        if (setToNone) param.grad = null;
        else if (param.grad) {
          param.grad.detach_();
          param.grad.zero_();
        }
      }
    }
  }

  /**
   * Updates every parameter that has a gradient.
   * @param closure evaluates the model anew and returns the loss, which step returns
   */
  step(closure?: () => Tensor): Tensor | null {
    const loss = closure ? closure() : null;
    noGrad(() => {
      for (const group of this.paramGroups) {
        for (const param of group.params) if (param.grad) this.update(param, param.grad, group);
      }
    });
    return loss;
  }

  /** One parameter's step, in place, with gradients off. */
  protected abstract update(param: Tensor, grad: Tensor, group: ParamGroup<O>): void;
}
