/** What a data set gives before any transform: PIL's Image, as far as lessons use one. */
import { ValueError } from "../core/errors.ts";

export type PictureMode = "RGB" | "L";

/** A picture of bytes: rows from the top, pixels from the left, the channels of a pixel together. */
export class Picture {
  /** In pixels. */
  readonly width: number;
  readonly height: number;
  /** "RGB", or "L" for grey. */
  readonly mode: PictureMode;
  /** height × width × channels values from 0 to 255. */
  readonly data: Uint8Array<ArrayBuffer>;

  /** @throws ValueError when the bytes don't fit the size */
  constructor(data: Uint8Array<ArrayBuffer>, width: number, height: number, mode: PictureMode = "RGB") {
    const channels = mode === "RGB" ? 3 : 1;
    if (data.length !== width * height * channels) {
      throw new ValueError(
        `a ${mode} picture of ${width} × ${height} has ${width * height * channels} bytes, but got ${data.length}`,
      );
    }
    this.data = data;
    this.width = width;
    this.height = height;
    this.mode = mode;
  }

  /** [width, height], as in PIL. */
  get size(): [number, number] {
    return [this.width, this.height];
  }

  /** 3 or 1. */
  get channels(): number {
    return this.mode === "RGB" ? 3 : 1;
  }

  toString(): string {
    return `<PIL.Image.Image image mode=${this.mode} size=${this.width}x${this.height}>`;
  }
}
