/** Cutting, padding and mirroring, the same for pictures and for tensors [..., height, width]. Neither changes its input. */
import { TypeError } from "../core/errors.ts";
import { Storage } from "../core/storage.ts";
import { pythonTypeName, Tensor } from "../core/tensor.ts";
import { Picture } from "./picture.ts";

/** A picture of bytes, or a tensor whose last two dimensions are height and width. */
export type ImageLike = Picture | Tensor;

/** [height, width]. */
export function imageSize(image: ImageLike): [number, number] {
  if (image instanceof Picture) return [image.height, image.width];
  if (!(image instanceof Tensor)) throw new TypeError(`Unexpected type <class '${pythonTypeName(image)}'>`);
  if (image.ndim < 2) throw new TypeError("Tensor is not a torch image.");
  return [image.size(-2), image.size(-1)];
}

/** The rectangle from (top, left); what lies outside of the image is `fill`. */
export function cutOut<T extends ImageLike>(
  image: T,
  top: number,
  left: number,
  height: number,
  width: number,
  fill = 0,
): T {
  return remap(image, height, width, fill, (y, x) => [y + top, x + left]);
}

/** Left and right exchanged. */
export function flipHorizontally<T extends ImageLike>(image: T): T {
  const [height, width] = imageSize(image);
  return remap(image, height, width, 0, (y, x) => [y, width - 1 - x]);
}

/** Top and bottom exchanged. */
export function flipVertically<T extends ImageLike>(image: T): T {
  const [height, width] = imageSize(image);
  return remap(image, height, width, 0, (y, x) => [height - 1 - y, x]);
}

function remap<T extends ImageLike>(
  image: T,
  height: number,
  width: number,
  fill: number,
  from: (y: number, x: number) => readonly [number, number],
): T {
  const [oldHeight, oldWidth] = imageSize(image);
  const channels = image instanceof Picture ? image.channels : 1;
  const planes = image instanceof Picture ? 1 : image.shape.slice(0, -2).reduce((product, size) => product * size, 1);
  const source = image instanceof Picture ? image.data : image.denseData();
  const target =
    image instanceof Picture
      ? new Uint8Array(height * width * channels)
      : Storage.allocate(image.dtype, planes * height * width).data;
  if (fill !== 0) target.fill(fill);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [oldY, oldX] = from(y, x);
      if (oldY < 0 || oldX < 0 || oldY >= oldHeight || oldX >= oldWidth) continue;
      for (let plane = 0; plane < planes; plane++) {
        const at = ((plane * height + y) * width + x) * channels;
        const old = ((plane * oldHeight + oldY) * oldWidth + oldX) * channels;
        for (let channel = 0; channel < channels; channel++) target[at + channel] = source[old + channel]!;
      }
    }
  }
  if (image instanceof Picture) return new Picture(target as Uint8Array<ArrayBuffer>, width, height, image.mode) as T;
  return new Tensor(new Storage(image.dtype, target), [...image.shape.slice(0, -2), height, width]) as T;
}
