/**
 * What happens to a picture before a network sees it. https://docs.pytorch.org/vision/stable/transforms.html
 *
 * Each is made once and called as a function: `const toTensor = new transforms.ToTensor(); toTensor(picture)`.
 */
import { bind } from "../core/arguments.ts";
import { float32, float64, uint8 } from "../core/dtype.ts";
import { NotImplementedError, TypeError, ValueError } from "../core/errors.ts";
import { defaultGenerator } from "../core/random.ts";
import { Storage } from "../core/storage.ts";
import { pythonTypeName, Tensor } from "../core/tensor.ts";
import { Callable } from "./callable.ts";
import { cutOut, flipHorizontally, flipVertically, type ImageLike, imageSize } from "./geometry.ts";
import { Picture } from "./picture.ts";

export { Picture } from "./picture.ts";

/** One after the other. The type parameter is what the last one gives. */
export class Compose<O = Tensor> extends Callable<[input: ImageLike], O> {
  readonly transforms: readonly ((input: never) => unknown)[];

  constructor(transforms: readonly ((input: never) => unknown)[]) {
    super();
    this.transforms = [...transforms];
  }

  override forward(input: ImageLike): O {
    let value: unknown = input;
    for (const transform of this.transforms) value = (transform as (input: unknown) => unknown)(value);
    return value as O;
  }

  override toString(): string {
    const lines = this.transforms.map((transform) => `\n    ${String(transform)}`);
    return `Compose(${lines.join("")}\n)`;
  }
}

/** A picture (height × width × channels bytes) as a float32 tensor [channels, height, width] from 0 to 1. */
export class ToTensor extends Callable<[picture: Picture], Tensor> {
  override forward(picture: Picture): Tensor {
    assertPicture(picture, "pic should be PIL Image or ndarray. Got");
    const storage = Storage.allocate(float32, picture.data.length);
    toPlanes(picture, storage.data, 255);
    return new Tensor(storage, [picture.channels, picture.height, picture.width]);
  }

  override toString(): string {
    return "ToTensor()";
  }
}

/** A picture as a uint8 tensor [channels, height, width], its values as they are. */
export class PILToTensor extends Callable<[picture: Picture], Tensor> {
  override forward(picture: Picture): Tensor {
    assertPicture(picture, "pic should be PIL Image. Got");
    const storage = Storage.allocate(uint8, picture.data.length);
    toPlanes(picture, storage.data, 1);
    return new Tensor(storage, [picture.channels, picture.height, picture.width]);
  }

  override toString(): string {
    return "PILToTensor()";
  }
}

/** A tensor [channels, height, width] or [height, width] as a picture; floating values are taken from 0 to 1. */
export class ToPILImage extends Callable<[image: Tensor], Picture> {
  override forward(image: Tensor): Picture {
    if (!(image instanceof Tensor)) {
      throw new TypeError(`pic should be Tensor or ndarray. Got <class '${pythonTypeName(image)}'>.`);
    }
    if (image.ndim !== 2 && image.ndim !== 3) {
      throw new ValueError(`pic should be 2/3 dimensional. Got ${image.ndim} dimensions.`);
    }
    const channels = image.ndim === 2 ? 1 : image.size(0);
    if (channels > 4) throw new ValueError(`pic should not have > 4 channels. Got ${channels} channels.`);
    if (channels !== 1 && channels !== 3) {
      throw new NotImplementedError(`a picture has 1 or 3 channels here, but got ${channels}`);
    }
    const [height, width] = imageSize(image);
    const data = new Uint8Array(height * width * channels);
    const values = image.denseData();
    const scale = image.isFloatingPoint() ? 255 : 1;
    for (let pixel = 0; pixel < height * width; pixel++) {
      for (let channel = 0; channel < channels; channel++) {
        data[pixel * channels + channel] = Math.trunc(values[channel * height * width + pixel]! * scale);
      }
    }
    return new Picture(data, width, height, channels === 1 ? "L" : "RGB");
  }

  override toString(): string {
    return "ToPILImage()";
  }
}

/** `(x - mean) / std` for each channel of a floating tensor [..., channels, height, width]. */
export class Normalize extends Callable<[image: Tensor], Tensor> {
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly inplace: boolean;

  /**
   * @param mean one number for each channel, or one for all
   * @param std the same; none may be 0
   * @param options.inplace whether the tensor itself is changed. Default false.
   */
  constructor(mean: readonly number[], std: readonly number[], options: { inplace?: boolean } = {}) {
    super();
    this.mean = [...mean];
    this.std = [...std];
    this.inplace = options.inplace ?? false;
  }

  override forward(image: Tensor): Tensor {
    if (!(image instanceof Tensor)) {
      throw new TypeError(`img should be Tensor Image. Got <class '${pythonTypeName(image)}'>`, {
        hint: "put transforms.ToTensor() before it",
      });
    }
    if (!image.isFloatingPoint()) {
      throw new TypeError(`Input tensor should be a float tensor. Got ${image.dtype}.`);
    }
    if (image.ndim < 3) {
      throw new ValueError(
        `Expected tensor to be a tensor image of size (..., C, H, W). Got tensor.size() = ${image.shape}`,
      );
    }
    const channels = image.size(-3);
    for (const { length } of [this.mean, this.std]) {
      if (length === 1 || length === channels) continue;
      throw new ValueError(`mean and std have ${length} values, but the image has ${channels} channels`, {
        shapes: [image.shape],
      });
    }
    const single = image.dtype === float32;
    const round = single ? Math.fround : (value: number) => value;
    if (this.std.some((value) => round(value) === 0)) {
      throw new ValueError(`std evaluated to zero after conversion to ${image.dtype}, leading to division by zero.`);
    }
    const area = image.size(-1) * image.size(-2);
    const storage = Storage.allocate(single ? float32 : float64, image.numel());
    const values = image.denseData();
    for (let start = 0, plane = 0; start < values.length; start += area, plane++) {
      const mean = round(this.mean[this.mean.length === 1 ? 0 : plane % channels]!);
      const std = round(this.std[this.std.length === 1 ? 0 : plane % channels]!);
      for (let i = start; i < start + area; i++) storage.data[i] = round(values[i]! - mean) / std;
    }
    const result = new Tensor(storage, image.shape);
    return this.inplace ? image.copy_(result) : result;
  }

  override toString(): string {
    return `Normalize(mean=[${this.mean.join(", ")}], std=[${this.std.join(", ")}])`;
  }
}

/** A function of one's own. */
export class Lambda<I = ImageLike, O = unknown> extends Callable<[input: I], O> {
  readonly lambd: (input: I) => O;

  constructor(lambd: (input: I) => O) {
    super();
    this.lambd = lambd;
  }

  override forward(input: I): O {
    return this.lambd(input);
  }

  override toString(): string {
    return "Lambda()";
  }
}

/** Left and right exchanged with probability p. Draws one number from the global generator. */
export class RandomHorizontalFlip extends Callable<[image: ImageLike], ImageLike> {
  readonly p: number;

  /** @param options.p default 0.5 */
  constructor(options: { p?: number } = {}) {
    super();
    this.p = options.p ?? 0.5;
  }

  override forward(image: ImageLike): ImageLike {
    return defaultGenerator.uniform24() < this.p ? flipHorizontally(image) : image;
  }

  override toString(): string {
    return `RandomHorizontalFlip(p=${this.p})`;
  }
}

/** Top and bottom exchanged with probability p. Draws one number from the global generator. */
export class RandomVerticalFlip extends Callable<[image: ImageLike], ImageLike> {
  readonly p: number;

  /** @param options.p default 0.5 */
  constructor(options: { p?: number } = {}) {
    super();
    this.p = options.p ?? 0.5;
  }

  override forward(image: ImageLike): ImageLike {
    return defaultGenerator.uniform24() < this.p ? flipVertically(image) : image;
  }

  override toString(): string {
    return `RandomVerticalFlip(p=${this.p})`;
  }
}

/** A border of `fill` around the image. */
export class Pad extends Callable<[image: ImageLike], ImageLike> {
  readonly padding: number | readonly number[];
  readonly fill: number;

  /** @param padding one number for all sides, [left and right, top and bottom], or [left, top, right, bottom] */
  constructor(padding: number | readonly number[], options: { fill?: number } = {}) {
    super();
    this.padding = padding;
    this.fill = options.fill ?? 0;
    sides(padding);
  }

  override forward(image: ImageLike): ImageLike {
    return pad(image, this.padding, this.fill);
  }

  override toString(): string {
    const padding = typeof this.padding === "number" ? this.padding : `[${this.padding.join(", ")}]`;
    return `Pad(padding=${padding}, fill=${this.fill}, padding_mode=constant)`;
  }
}

/** The middle of the image; where it is too small, zeros around it. */
export class CenterCrop extends Callable<[image: ImageLike], ImageLike> {
  /** [height, width]. */
  readonly size: readonly [number, number];

  constructor(size: number | readonly [number, number]) {
    super();
    this.size = pair(size);
  }

  override forward(image: ImageLike): ImageLike {
    const [height, width] = this.size;
    const [oldHeight, oldWidth] = imageSize(image);
    const missingX = Math.max(0, width - oldWidth);
    const missingY = Math.max(0, height - oldHeight);
    const top = roundHalfToEven((oldHeight + missingY - height) / 2) - Math.floor(missingY / 2);
    const left = roundHalfToEven((oldWidth + missingX - width) / 2) - Math.floor(missingX / 2);
    return cutOut(image, top, left, height, width);
  }

  override toString(): string {
    return `CenterCrop(size=(${this.size.join(", ")}))`;
  }
}

export interface RandomCropOptions {
  /** A border added before, as in `Pad`. Default none. */
  padding?: number | readonly number[] | null;
  /** Whether images that are too small are padded until they are not. Default false. */
  padIfNeeded?: boolean;
  /** Value of the border. Default 0. */
  fill?: number;
}

/** A rectangle of the given size somewhere in the image. Draws its place from the global generator. */
export class RandomCrop extends Callable<[image: ImageLike], ImageLike> {
  /** [height, width]. */
  readonly size: readonly [number, number];
  readonly padding: number | readonly number[] | null;
  readonly padIfNeeded: boolean;
  readonly fill: number;

  constructor(size: number | readonly [number, number], options: RandomCropOptions = {}) {
    super();
    const bound = bind<RandomCropOptions>("RandomCrop.__init__", ["padding", "padIfNeeded", "fill"], [{ ...options }]);
    this.size = pair(size);
    this.padding = bound.padding ?? null;
    this.padIfNeeded = bound.padIfNeeded ?? false;
    this.fill = bound.fill ?? 0;
  }

  override forward(image: ImageLike): ImageLike {
    const [height, width] = this.size;
    let padded = this.padding === null ? image : pad(image, this.padding, this.fill);
    if (this.padIfNeeded) {
      const [smallHeight, smallWidth] = imageSize(padded);
      if (smallWidth < width) padded = pad(padded, [width - smallWidth, 0], this.fill);
      if (smallHeight < height) padded = pad(padded, [0, height - smallHeight], this.fill);
    }
    const [oldHeight, oldWidth] = imageSize(padded);
    if (oldHeight < height || oldWidth < width) {
      throw new ValueError(
        `Required crop size ${tuple(this.size)} is larger than input image size ${tuple([oldHeight, oldWidth])}`,
      );
    }
    if (oldHeight === height && oldWidth === width) return padded;
    const top = defaultGenerator.random() % (oldHeight - height + 1);
    const left = defaultGenerator.random() % (oldWidth - width + 1);
    return cutOut(padded, top, left, height, width);
  }

  override toString(): string {
    const padding = Array.isArray(this.padding) ? `[${this.padding.join(", ")}]` : (this.padding ?? "None");
    return `RandomCrop(size=${tuple(this.size)}, padding=${padding})`;
  }
}

function toPlanes({ data, channels }: Picture, out: { [index: number]: number }, divisor: number): void {
  const area = data.length / channels;
  for (let pixel = 0; pixel < area; pixel++) {
    for (let channel = 0; channel < channels; channel++) {
      out[channel * area + pixel] = data[pixel * channels + channel]! / divisor;
    }
  }
}

function assertPicture(value: unknown, message: string): asserts value is Picture {
  if (value instanceof Picture) return;
  const type = value instanceof Tensor ? "torch.Tensor" : pythonTypeName(value);
  throw new TypeError(`${message} <class '${type}'>`, {
    hint: value instanceof Tensor ? "it is a tensor already: leave this transform out" : undefined,
  });
}

function sides(padding: number | readonly number[]): [left: number, top: number, right: number, bottom: number] {
  if (typeof padding === "number") return [padding, padding, padding, padding];
  const [a = 0, b = a, c = a, d = b] = padding;
  if (padding.length === 1 || padding.length === 2 || padding.length === 4) return [a, b, c, d];
  throw new ValueError(`Padding must be an int or a 1, 2, or 4 element tuple, not a ${padding.length} element tuple`);
}

function pad(image: ImageLike, padding: number | readonly number[], fill: number): ImageLike {
  const [left, top, right, bottom] = sides(padding);
  const [height, width] = imageSize(image);
  return cutOut(image, -top, -left, height + top + bottom, width + left + right, fill);
}

function pair(size: number | readonly [number, number]): readonly [number, number] {
  return typeof size === "number" ? [size, size] : size;
}

function tuple(values: readonly number[]): string {
  return `(${values.join(", ")})`;
}

/** Python's `round`. */
function roundHalfToEven(value: number): number {
  const below = Math.floor(value);
  const rest = value - below;
  if (rest !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
