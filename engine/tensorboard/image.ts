/**
 * Tensors to pictures, exactly as torch.utils.tensorboard makes them (its _utils.py and summary.py): floating values
 * times 255, cut to 0 … 255 and rounded down; bytes as they are; batches eight to a row, without padding.
 */
import { AssertionError, TypeError } from "../core/errors.ts";
import type { Tensor } from "../core/tensor.ts";
import type { EventPicture } from "./events.ts";

const COLUMNS = 8;

export interface TensorPicture {
  picture: EventPicture;
  /** Share of values below 0 or above the maximum. */
  clippedShare: number;
  tiles: { rows: number; columns: number } | null;
}

/** Reads one value of the image in the order that the format names. */
type Reader = (image: number, channel: number, y: number, x: number) => number;

/**
 * @param format one letter for each dimension: N (images), C (channels), H, W, in any order: "NCHW", "HWC", "HW" …
 * @throws AssertionError when the tensor doesn't have these dimensions, or a batch not 1 or 3 channels; TypeError when one
 *   image doesn't have 1, 3 or 4
 */
export function tensorPicture(tensor: Tensor, format: string): TensorPicture {
  checkFormat(tensor, format);
  const letters = format.toUpperCase();
  const data = tensor.denseData();
  const sizeOf = (letter: string): number => (letters.includes(letter) ? tensor.shape[letters.indexOf(letter)]! : 1);
  const strides = denseStrides(tensor.shape);
  const strideOf = (letter: string): number => (letters.includes(letter) ? strides[letters.indexOf(letter)]! : 0);
  const [images, channels, height, width] = [sizeOf("N"), sizeOf("C"), sizeOf("H"), sizeOf("W")];
  const [n, c, h, w] = [strideOf("N"), strideOf("C"), strideOf("H"), strideOf("W")];
  const isBatch = letters.length === 4;
  if (isBatch && channels !== 1 && channels !== 3) {
    throw new AssertionError("Input should be a 4D numpy array with 3 channels", {
      hint: channelHint(tensor, channels),
    });
  }
  if (channels !== 1 && channels !== 3 && channels !== 4) {
    throw new TypeError(`Cannot handle this data type: (1, 1, ${channels}), |u1`, {
      hint: channelHint(tensor, channels),
    });
  }
  const columns = isBatch ? Math.min(images, COLUMNS) : 1;
  const rows = isBatch ? Math.ceil(images / columns) : 1;
  const scale = tensor.dtype.name === "uint8" ? 1 : 255;
  const read: Reader = (image, channel, y, x) => data[image * n + channel * c + y * h + x * w]!;
  const { picture, clipped } = paint(read, { images, channels, height, width, columns, rows, scale });
  return {
    picture,
    clippedShare: data.length === 0 ? 0 : clipped / data.length,
    tiles: isBatch ? { rows, columns } : null,
  };
}

interface Layout {
  images: number;
  channels: number;
  height: number;
  width: number;
  columns: number;
  rows: number;
  scale: number;
}

function paint(read: Reader, { images, channels, height, width, columns, rows, scale }: Layout) {
  const pixels = new Uint8ClampedArray(4 * rows * height * columns * width);
  // The canvas of a batch is black where it holds no image.
  for (let i = 3; i < pixels.length; i += 4) pixels[i] = 255;
  let clipped = 0;
  for (let image = 0; image < images; image++) {
    const top = Math.floor(image / columns) * height;
    const left = (image % columns) * width;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const at = 4 * ((top + y) * columns * width + left + x);
        for (let channel = 0; channel < channels; channel++) {
          const scaled = Math.fround(Math.fround(read(image, channel, y, x)) * scale);
          if (!(scaled >= 0 && scaled <= 255)) clipped++;
          const value = scaled > 0 ? Math.trunc(Math.min(scaled, 255)) : 0;
          if (channels === 1) pixels.fill(value, at, at + 3);
          else pixels[at + channel] = value;
        }
      }
    }
  }
  return { picture: { width: columns * width, height: rows * height, pixels }, clipped };
}

function checkFormat(tensor: Tensor, format: string): void {
  if (new Set(format).size !== format.length) {
    throw new AssertionError(`You can not use the same dimension shorthand twice. \
            input_format: ${format}`);
  }
  if (tensor.ndim !== format.length) {
    throw new AssertionError(
      `size of input tensor and input format are different. \
        tensor shape: (${tensor.shape.join(", ")}${tensor.ndim === 1 ? "," : ""}), input_format: ${format}`,
      { hint: formatHint(tensor), shapes: [tensor.shape] },
    );
  }
  const letters = format.toUpperCase();
  const wanted = ["", "", "HW", "HWC", "NCHW"][letters.length];
  if (!wanted || [...wanted].some((letter) => !letters.includes(letter))) {
    throw new AssertionError(`dataformats "${format}" does not name the dimensions of an image`, {
      hint: "it is made of N (images), C (channels), H (height) and W (width): NCHW for a batch, CHW or HWC for one image",
    });
  }
}

function formatHint(tensor: Tensor): string {
  if (tensor.ndim === 4) return "this is a batch of images: writer.addImages shows all of them";
  if (tensor.ndim === 3) return "this is one image: writer.addImage shows it";
  if (tensor.ndim === 2)
    return 'one grey image [height, width] is shown by writer.addImage(tag, image, step, { dataformats: "HW" })';
  return "a batch of images has 4 dimensions [N, C, H, W], one image 3 [C, H, W]";
}

function channelHint(tensor: Tensor, channels: number): string {
  const shape = `[${tensor.shape.join(", ")}]`;
  return (
    `${shape} has ${channels} channels, a picture has 1 or 3: show some of them (x.get(":", "0:3")), each as an image of its ` +
    "own, or give `dataformats` if the dimensions are in another order"
  );
}

function denseStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * shape[i + 1]!;
  return strides;
}
