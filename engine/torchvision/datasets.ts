/** Data sets of pictures. https://docs.pytorch.org/vision/stable/datasets.html */
import { bind } from "../core/arguments.ts";
import { uint8 } from "../core/dtype.ts";
import { IndexError } from "../core/errors.ts";
import { Storage } from "../core/storage.ts";
import { Tensor } from "../core/tensor.ts";
import { Dataset } from "../data/dataset.ts";
import { type PictureSource, pictureSource } from "../data/sources.ts";
import { Picture } from "./picture.ts";
import { CLASSES } from "./standin/drawings.ts";

export { type DatasetFile, type DatasetInfo, datasetInfo, provideDataset } from "../data/sources.ts";
export { Picture } from "./picture.ts";

const SIDE = 32;

export interface CIFAR10Options<I, L> {
  /** The 50,000 pictures for training, or the 10,000 for testing. Default true. */
  train?: boolean;
  /** Called with each picture; what it returns takes its place: `new transforms.ToTensor()`. Default null. */
  transform?: ((picture: Picture) => I) | null;
  /** Called with each label. Default null. */
  targetTransform?: ((label: number) => L) | null;
  /** Accepted as in torchvision; the data is handed to the engine, not downloaded by it. Default false. */
  download?: boolean;
}

/**
 * CIFAR-10: 32 × 32 colour pictures of ten classes, 5,000 of each for training and 1,000 for testing
 * (https://www.cs.toronto.edu/~kriz/cifar.html). Where only the stand-in is here, it reads that; `title` says which.
 *
 *     const data = new CIFAR10("./data", { train: false, transform: new transforms.ToTensor() });
 *     const [image, target] = data.get(0);   // image: [3, 32, 32], target: 0 … 9
 */
export class CIFAR10<I = Picture, L = number> extends Dataset<[I, L]> {
  readonly root: string;
  readonly train: boolean;
  readonly transform: ((picture: Picture) => I) | null;
  readonly targetTransform: ((label: number) => L) | null;
  /** Class names in label order. */
  readonly classes: string[] = [...CLASSES];
  /** Name → label. */
  readonly classToIdx: Record<string, number> = Object.fromEntries(CLASSES.map((name, label) => [name, label]));
  readonly #source: PictureSource;
  #targets: number[] | null = null;
  #data: Tensor | null = null;

  /**
   * @param root kept and shown as in torchvision; no folder is read
   * @throws RuntimeError that says how to get the data when there is none
   */
  constructor(root: string, options?: CIFAR10Options<I, L>);
  constructor(...args: unknown[]) {
    super();
    const params = ["!root", "train", "transform", "targetTransform", "download"];
    const bound = bind<CIFAR10Options<I, L> & { root: string }>("CIFAR10.__init__", params, args);
    this.root = bound.root;
    this.train = bound.train ?? true;
    this.transform = bound.transform ?? null;
    this.targetTransform = bound.targetTransform ?? null;
    this.#source = pictureSource(this.train ? "train" : "test");
  }

  /** What the pictures are: "CIFAR-10", or the stand-in. */
  get title(): string {
    return this.#source.title;
  }

  get length(): number {
    return this.#source.length;
  }

  /** [picture, label], each through its transform. Negative indices count from the end. */
  override get(index: number): [I, L] {
    const { length } = this;
    const at = index < 0 ? index + length : index;
    if (!Number.isInteger(index) || at < 0 || at >= length) {
      throw new IndexError(`index ${index} is out of bounds for axis 0 with size ${length}`);
    }
    const picture = new Picture(this.#source.picture(at), SIDE, SIDE);
    const label = this.#source.label(at);
    return [
      (this.transform ? this.transform(picture) : picture) as I,
      (this.targetTransform ? this.targetTransform(label) : label) as L,
    ];
  }

  /** All labels. */
  get targets(): number[] {
    this.#targets ??= Array.from({ length: this.length }, (_, i) => this.#source.label(i));
    return this.#targets;
  }

  /** All pictures as one uint8 tensor [length, 32, 32, 3]; made when first asked for (154 MB for the training split). */
  get data(): Tensor {
    if (!this.#data) {
      const size = SIDE * SIDE * 3;
      const storage = Storage.allocate(uint8, this.length * size);
      for (let i = 0; i < this.length; i++) storage.data.set(this.#source.picture(i), i * size);
      this.#data = new Tensor(storage, [this.length, SIDE, SIDE, 3]);
    }
    return this.#data;
  }

  /** torchvision's text. */
  override toString(): string {
    const lines = [`Number of datapoints: ${this.length}`, `Root location: ${this.root}`];
    lines.push(`Split: ${this.train ? "Train" : "Test"}`);
    const parts: [string, unknown][] = [
      ["Transform: ", this.transform],
      ["Target transform: ", this.targetTransform],
    ];
    const transforms = parts.filter(([, transform]) => transform !== null);
    const text = ["Dataset CIFAR10", ...lines.map((line) => `    ${line}`)];
    if (transforms.length > 0) text.push("    StandardTransform");
    for (const [head, transform] of transforms) {
      const [first, ...rest] = describe(transform).split("\n");
      text.push(head + first, ...rest.map((line) => " ".repeat(head.length) + line));
    }
    return text.join("\n");
  }
}

/** A function's source is not what a reader of `print(dataset)` wants. */
function describe(transform: unknown): string {
  const text = String(transform);
  if (typeof transform !== "function" || !/^(async\s|function\b|\(|class\b|[\w$]+\s*=>)/.test(text)) return text;
  return `<function ${transform.name || "<lambda>"}>`;
}
