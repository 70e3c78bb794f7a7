/**
 * Reading GPU memory at once, without waiting for a promise: bytes are copied into the texture of an offscreen canvas as
 * pixels, and that canvas is drawn on a 2-d one, whose pixels scripts may read.
 *
 * A canvas that ignores alpha keeps the three colour bytes exact and loses the fourth; a canvas with premultiplied alpha
 * keeps the alpha byte exact and loses the others. Both are read and merged. Whether a browser really keeps them is proved
 * at the start with every byte in every place.
 */

/** Pixels in a row. copyBufferToTexture wants rows of a multiple of 256 bytes. */
const WIDTH = 1024;
const ROW_BYTES = WIDTH * 4;
const MOST_ROWS = 1024;

interface Eye {
  canvas: OffscreenCanvas;
  context: GPUCanvasContext;
}

export class CanvasReader {
  readonly #device: GPUDevice;
  readonly #opaque: Eye;
  readonly #alpha: Eye;
  readonly #plain: OffscreenCanvasRenderingContext2D;

  private constructor(device: GPUDevice) {
    this.#device = device;
    this.#opaque = eye(device, "opaque");
    this.#alpha = eye(device, "premultiplied");
    const plain = new OffscreenCanvas(WIDTH, 1).getContext("2d", { willReadFrequently: true, colorSpace: "srgb" });
    if (!plain) throw new Error("no 2-d canvas");
    this.#plain = plain;
  }

  /** A reader that has passed its test, or null where the platform has no such canvases or they change bytes. */
  static create(device: GPUDevice): CanvasReader | null {
    if (typeof OffscreenCanvas === "undefined") return null;
    try {
      const reader = new CanvasReader(device);
      return reader.#passes() ? reader : null;
    } catch {
      return null;
    }
  }

  /** The first `bytes` of a buffer (a multiple of 4). All work that was submitted is done before. */
  read(buffer: GPUBuffer, bytes: number): ArrayBuffer {
    const result = new Uint8Array(bytes);
    for (let from = 0; from < bytes; from += ROW_BYTES * MOST_ROWS) {
      const part = result.subarray(from, Math.min(bytes, from + ROW_BYTES * MOST_ROWS));
      this.#readPart(buffer, from, part);
    }
    return result.buffer;
  }

  #readPart(buffer: GPUBuffer, from: number, result: Uint8Array): void {
    const pixels = result.length / 4;
    const width = Math.min(pixels, WIDTH);
    const rows = Math.ceil(pixels / WIDTH);
    let source = buffer;
    let offset = from;
    // The last row may reach past the buffer's end.
    const whole = rows * width * 4;
    let padded: GPUBuffer | null = null;
    if (from + whole > buffer.size) {
      padded = this.#device.createBuffer({ size: whole, usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST });
      const encoder = this.#device.createCommandEncoder();
      encoder.copyBufferToBuffer(buffer, from, padded, 0, result.length);
      this.#device.queue.submit([encoder.finish()]);
      source = padded;
      offset = 0;
    }
    const colours = this.#look(this.#opaque, source, offset, width, rows);
    const alphas = this.#look(this.#alpha, source, offset, width, rows);
    padded?.destroy();
    for (let i = 0; i < result.length; i += 4) {
      result[i] = colours[i]!;
      result[i + 1] = colours[i + 1]!;
      result[i + 2] = colours[i + 2]!;
      result[i + 3] = alphas[i + 3]!;
    }
  }

  #look({ canvas, context }: Eye, source: GPUBuffer, offset: number, width: number, rows: number): Uint8ClampedArray {
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== rows) canvas.height = rows;
    const encoder = this.#device.createCommandEncoder();
    const layout = rows > 1 ? { bytesPerRow: ROW_BYTES, rowsPerImage: rows } : {};
    encoder.copyBufferToTexture({ buffer: source, offset, ...layout }, { texture: context.getCurrentTexture() }, [
      width,
      rows,
    ]);
    this.#device.queue.submit([encoder.finish()]);
    const plain = this.#plain;
    if (plain.canvas.width < width) plain.canvas.width = width;
    if (plain.canvas.height < rows) plain.canvas.height = rows;
    plain.globalCompositeOperation = "copy";
    plain.drawImage(canvas, 0, 0);
    return plain.getImageData(0, 0, width, rows).data;
  }

  /** Every byte in every place, beside many others. */
  #passes(): boolean {
    const bytes = new Uint8Array(ROW_BYTES * 2 + 4 * 12);
    for (let i = 0; i < bytes.length; i++) bytes[i] = (Math.imul(i, 2654435761) >>> 13) + (i >> 2) * (1 + (i & 3));
    const buffer = this.#device.createBuffer({
      size: bytes.length,
      usage: GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    });
    this.#device.queue.writeBuffer(buffer, 0, bytes);
    const back = new Uint8Array(this.read(buffer, bytes.length));
    buffer.destroy();
    return back.every((byte, i) => byte === bytes[i]);
  }
}

function eye(device: GPUDevice, alphaMode: GPUCanvasAlphaMode): Eye {
  const canvas = new OffscreenCanvas(WIDTH, 1);
  const context = canvas.getContext("webgpu") as GPUCanvasContext | null;
  if (!context) throw new Error("no WebGPU canvas");
  context.configure({
    device,
    format: "rgba8unorm",
    alphaMode,
    usage: GPUTextureUsage.COPY_DST | GPUTextureUsage.RENDER_ATTACHMENT,
  });
  return { canvas, context };
}
