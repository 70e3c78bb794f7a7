/** Sums of products by the names of dimensions. https://docs.pytorch.org/docs/2.13/generated/torch.einsum.html */
import { RuntimeError } from "../core/errors.ts";
import { numel } from "../core/shape.ts";
import { assertTensor, type Tensor } from "../core/tensor.ts";
import { mul } from "./arithmetic.ts";
import { bmm } from "./matmul.ts";
import { sum } from "./reduce.ts";
import { diagonal } from "./slicing.ts";
import { expand, permute, reshape, unsqueeze, view } from "./view.ts";

/** Stands for the dimensions under "...": letters that no equation can contain, from the last dimension backwards. */
const broadcastLabel = (fromEnd: number): string => String.fromCharCode(0xe000 + fromEnd);

interface Operand {
  tensor: Tensor;
  labels: string[];
}

/** Labels of one operand, the ellipsis spelled out. */
function labelsOf(subscripts: string, ndim: number, index: number): string[] {
  const [before, after] = subscripts.split("...") as [string, string | undefined];
  const named = before.length + (after?.length ?? 0);
  const bad = (before + (after ?? "")).match(/[^A-Za-z]/);
  if (bad) {
    throw new RuntimeError(
      `einsum(): invalid subscript given at index ${subscripts.indexOf(bad[0])} in the equation string, subscripts must be in [a-zA-Z]`,
    );
  }
  if (after === undefined ? named !== ndim : named > ndim) {
    throw new RuntimeError(
      `einsum(): the number of subscripts in the equation (${named}) ${
        after === undefined ? "does not match the number of dimensions" : "is more than the number of dimensions"
      } (${ndim}) for operand ${index}${after === undefined ? " and no ellipsis was given" : ""}`,
    );
  }
  const hidden = Array.from({ length: ndim - named }, (_, i) => broadcastLabel(ndim - named - 1 - i));
  return [...before, ...(after === undefined ? [] : [...hidden, ...after])];
}

/** A label that an operand has twice is its diagonal. */
function withoutRepeats({ tensor, labels }: Operand, index: number): Operand {
  let current: Operand = { tensor, labels };
  for (;;) {
    const second = current.labels.findIndex((label, i) => current.labels.indexOf(label) < i);
    if (second < 0) return current;
    const label = current.labels[second]!;
    const first = current.labels.indexOf(label);
    const [a, b] = [current.tensor.shape[first]!, current.tensor.shape[second]!];
    if (a !== b) {
      throw new RuntimeError(
        `einsum(): subscript ${label} is repeated for operand ${index} but the sizes don't match, ${b} != ${a}`,
      );
    }
    // The diagonal becomes the last dimension.
    const rest = current.labels.filter((_, i) => i !== first && i !== second);
    current = { tensor: diagonal(current.tensor, 0, first, second), labels: [...rest, label] };
  }
}

/** The operand with its dimensions in `order`, of size 1 where it has no such label. */
function arranged({ tensor, labels }: Operand, order: readonly string[]): Tensor {
  const own = order.filter((label) => labels.includes(label));
  let out = permute(
    tensor,
    own.map((label) => labels.indexOf(label)),
  );
  order.forEach((label, i) => {
    if (!labels.includes(label)) out = unsqueeze(out, i);
  });
  return out;
}

/** Two operands become one: labels that nobody needs any more are summed, by one batched product. */
function contract(
  left: Operand,
  right: Operand,
  needed: ReadonlySet<string>,
  sizes: ReadonlyMap<string, number>,
): Operand {
  const own = (operand: Operand, other: Operand): Operand => {
    const alone = operand.labels.filter((label) => !needed.has(label) && !other.labels.includes(label));
    return summed(operand, alone);
  };
  const [a, b] = [own(left, right), own(right, left)];
  const shared = a.labels.filter((label) => b.labels.includes(label));
  const batch = shared.filter((label) => needed.has(label));
  const inner = shared.filter((label) => !needed.has(label));
  const rows = a.labels.filter((label) => !b.labels.includes(label));
  const columns = b.labels.filter((label) => !a.labels.includes(label));
  const sizeOf = (list: readonly string[]) => list.map((label) => sizes.get(label)!);
  const spread = (operand: Operand, order: readonly string[], shape: readonly number[]) =>
    reshape(expand(arranged(operand, order), sizeOf(order)), shape);
  const [nb, ni, nr, nc] = [batch, inner, rows, columns].map((list) => numel(sizeOf(list))) as [
    number,
    number,
    number,
    number,
  ];
  const labels = [...batch, ...rows, ...columns];
  if (inner.length === 0) {
    return { tensor: mul(arranged(a, labels), arranged(b, labels)), labels };
  }
  const product = bmm(
    spread(a, [...batch, ...rows, ...inner], [nb, nr, ni]),
    spread(b, [...batch, ...inner, ...columns], [nb, ni, nc]),
  );
  return { tensor: view(product, sizeOf(labels)), labels };
}

function summed({ tensor, labels }: Operand, gone: readonly string[]): Operand {
  if (gone.length === 0) return { tensor, labels };
  return {
    tensor: sum(
      tensor,
      gone.map((label) => labels.indexOf(label)),
    ),
    labels: labels.filter((label) => !gone.includes(label)),
  };
}

/**
 * `einsum("ij,jk->ik", a, b)` is a matrix product: letters name dimensions, those missing on the right are summed.
 * "..." stands for any further dimensions. Without "->" the letters that occur once remain, in alphabetical order.
 *
 * @throws RuntimeError when sizes under one letter differ, or the equation does not fit the operands
 * @see https://docs.pytorch.org/docs/2.13/generated/torch.einsum.html
 */
export function einsum(equation: string, ...operands: Tensor[] | [readonly Tensor[]]): Tensor {
  const tensors = operands.flat() as Tensor[];
  if (tensors.length === 0) throw new RuntimeError("einsum(): must provide at least one operand");
  tensors.forEach((tensor, i) => {
    assertTensor(tensor, "einsum", "operands", i + 2);
  });
  const [inputs, output] = equation.replaceAll(" ", "").split("->") as [string, string | undefined];
  const terms = inputs.split(",");
  if (terms.length !== tensors.length) {
    throw new RuntimeError(
      terms.length < tensors.length
        ? "einsum(): more operands were provided than specified in the equation"
        : "einsum(): fewer operands were provided than specified in the equation",
    );
  }
  const prepared = tensors.map((tensor, i) =>
    withoutRepeats({ tensor, labels: labelsOf(terms[i]!, tensor.ndim, i) }, i),
  );
  const sizes = new Map<string, number>();
  prepared.forEach(({ tensor, labels }, i) => {
    labels.forEach((label, dim) => {
      const size = tensor.shape[dim]!;
      const seen = sizes.get(label) ?? 1;
      if (size !== 1 && seen !== 1 && size !== seen) {
        throw new RuntimeError(
          `einsum(): subscript ${label} has size ${size} for operand ${i} which does not broadcast with previously seen size ${seen}`,
          { shapes: tensors.map((t) => t.shape) },
        );
      }
      sizes.set(label, Math.max(size === 0 ? 0 : 1, seen === 1 ? size : seen));
    });
  });
  const wanted = outputLabels(output, inputs, sizes);
  let current = prepared[0]!;
  for (let i = 1; i < prepared.length; i++) {
    const later = prepared.slice(i + 1).flatMap((operand) => operand.labels);
    current = contract(current, prepared[i]!, new Set([...wanted, ...later]), sizes);
  }
  const result = summed(
    current,
    current.labels.filter((label) => !wanted.includes(label)),
  );
  const same = wanted.every((label, i) => label === result.labels[i]);
  return same
    ? result.tensor
    : permute(
        result.tensor,
        wanted.map((label) => result.labels.indexOf(label)),
      );
}

function outputLabels(output: string | undefined, inputs: string, sizes: ReadonlyMap<string, number>): string[] {
  const hidden = [...sizes.keys()]
    .filter((label) => label >= "\ue000")
    .sort()
    .reverse();
  if (output === undefined) {
    const letters = inputs.replaceAll(/[^A-Za-z]/g, "");
    const once = [...letters].filter((label) => letters.indexOf(label) === letters.lastIndexOf(label));
    return [...hidden, ...once.sort()];
  }
  const labels = output.includes("...")
    ? [...output.split("...")[0]!, ...hidden, ...output.split("...")[1]!]
    : [...output];
  labels.forEach((label, i) => {
    if (labels.indexOf(label) < i)
      throw new RuntimeError(`einsum(): output subscript ${label} appears more than once in the output`);
    if (!sizes.has(label)) {
      throw new RuntimeError(
        `einsum(): output subscript ${label} does not appear in the equation for any input operand`,
      );
    }
  });
  return labels;
}
