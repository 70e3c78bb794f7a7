/** A shape: an array of numbers that prints as `torch.Size([64, 10])`. */
export class Size extends Array<number> {
  // Derived arrays (map, filter, slice) of sizes may hold anything; only from() and of() make sizes.
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  static fromShape(shape: readonly number[]): Size {
    const size = new Size(shape.length);
    for (let i = 0; i < shape.length; i++) size[i] = shape[i]!;
    return size;
  }

  numel(): number {
    let product = 1;
    for (let i = 0; i < this.length; i++) product *= this[i]!;
    return product;
  }

  override toString(): string {
    return `torch.Size([${this.join(", ")}])`;
  }
}
