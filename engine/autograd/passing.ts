/** The memory of gradients that only a sweep has seen: free again as soon as the nodes they went to have run. */
import { Storage } from "../core/storage.ts";
import type { Tensor } from "../core/tensor.ts";

export class PassingGradients {
  /** Storages made before belong to others. */
  readonly #first = Storage.next;
  /** By storage, how many gradients that are on their way lie in it. */
  readonly #uses = new Map<Storage, number>();

  /** A gradient is on its way. */
  sent({ storage }: Tensor): void {
    if (storage.id >= this.#first) this.#uses.set(storage, (this.#uses.get(storage) ?? 0) + 1);
  }

  /** Somebody outside of the sweep has seen it and may keep it. */
  shown({ storage }: Tensor): void {
    this.#uses.set(storage, Number.POSITIVE_INFINITY);
  }

  /** Leaves its memory to who asks, if it is the only one there that is still on its way. */
  takeOver({ storage }: Tensor): boolean {
    if (this.#uses.get(storage) !== 1) return false;
    this.#uses.delete(storage);
    return true;
  }

  /** What it was sent for is done. */
  used({ storage }: Tensor): void {
    const uses = this.#uses.get(storage);
    if (uses === undefined) return;
    if (uses > 1) this.#uses.set(storage, uses - 1);
    else {
      this.#uses.delete(storage);
      storage.release();
    }
  }
}
