/** https://docs.pytorch.org/docs/2.13/tensorboard.html */
import { bind } from "../core/arguments.ts";
import { AssertionError, NotImplementedError } from "../core/errors.ts";
import { pythonTypeName, Tensor } from "../core/tensor.ts";
import { emit } from "./events.ts";
import { tensorPicture } from "./image.ts";

export interface SummaryWriterOptions {
  /** The run's name. Default "runs/" and the time, as in PyTorch. */
  logDir?: string | null;
  /** Put behind the default name. */
  comment?: string;
  /** Accepted as in PyTorch; events leave at once here. */
  purgeStep?: number | null;
  maxQueue?: number;
  flushSecs?: number;
  filenameSuffix?: string;
}

export interface EventOptions {
  /** Position on the axis. Default 0. */
  globalStep?: number | null;
  /** Seconds since 1970. Default now. */
  walltime?: number | null;
}

export interface ScalarOptions extends EventOptions {
  /** Accepted as in PyTorch. */
  newStyle?: boolean;
  /** Keeps 64 bits of the value instead of 32. Default false. */
  doublePrecision?: boolean;
}

export interface ImageOptions extends EventOptions {
  /** What the dimensions are: "NCHW" for `addImages`, "CHW" for `addImage`, or another order, or "HW". */
  dataformats?: string;
}

/**
 * Writes values and images for TensorBoard; here they appear in the panel beside the lesson.
 *
 *     const writer = new SummaryWriter("logs");
 *     writer.addScalar("train/loss", loss.item(), step);
 *     writer.addImages("input", images, step);
 *     writer.close();
 */
export class SummaryWriter {
  readonly logDir: string;

  constructor(logDir?: string | SummaryWriterOptions | null, options?: SummaryWriterOptions);
  constructor(...args: unknown[]) {
    const params = ["logDir", "comment", "purgeStep", "maxQueue", "flushSecs", "filenameSuffix"];
    const bound = bind<SummaryWriterOptions>("SummaryWriter.__init__", params, withoutNull(args));
    this.logDir = bound.logDir || `runs/${timeText(new Date())}${bound.comment ?? ""}`;
  }

  /** The folder that PyTorch would write to. */
  getLogdir(): string {
    return this.logDir;
  }

  /**
   * Adds a point to the curve `tag`.
   *
   * @param scalarValue a number, or a tensor of one element
   * @throws AssertionError for a tensor of more elements
   */
  addScalar(
    tag: string,
    scalarValue: number | Tensor,
    globalStep?: number | null | ScalarOptions,
    options?: ScalarOptions,
  ): void;
  addScalar(...args: unknown[]): void {
    const params = ["!tag", "!scalarValue", "globalStep", "walltime", "newStyle", "doublePrecision"];
    const call = bind<ScalarOptions & { tag: string; scalarValue: number | Tensor }>(
      "add_scalar",
      params,
      withoutNull(args),
    );
    const value = scalarOf(call.scalarValue);
    emit({ kind: "scalars", ...this.#place(call.tag, call), value: call.doublePrecision ? value : Math.fround(value) });
  }

  /** Adds a point to several curves of one chart: `{ train: 0.3, test: 0.4 }`, each a run of its own, as in PyTorch. */
  addScalars(
    mainTag: string,
    tagScalarDict: Record<string, number | Tensor>,
    globalStep?: number | null | EventOptions,
    options?: EventOptions,
  ): void;
  addScalars(...args: unknown[]): void {
    // The dictionary would be taken for the options where it is the last argument.
    const [mainTag, values, ...rest] = args as [string, Record<string, number | Tensor>, ...unknown[]];
    const call = bind<EventOptions>("add_scalars", ["globalStep", "walltime"], withoutNull(rest));
    const place = this.#place(mainTag, call);
    for (const [tag, value] of Object.entries(values)) {
      const logDir = `${this.logDir}/${mainTag.replaceAll("/", "_")}_${tag}`;
      emit({ kind: "scalars", ...place, logDir, value: Math.fround(scalarOf(value)) });
    }
  }

  /**
   * Adds one image.
   *
   * @param imgTensor [3, height, width] (or 1 or 4 channels), or what `dataformats` says. Floating values are shown from 0
   *   to 1 and cut off beyond, uint8 ones from 0 to 255.
   */
  addImage(tag: string, imgTensor: Tensor, globalStep?: number | null | ImageOptions, options?: ImageOptions): void;
  addImage(...args: unknown[]): void {
    this.#image("add_image", "CHW", args);
  }

  /**
   * Adds a batch of images, eight to a row.
   *
   * @param imgTensor [count, 3, height, width] (or 1 channel), or what `dataformats` says. Values as for `addImage`.
   * @throws AssertionError for another number of channels
   */
  addImages(tag: string, imgTensor: Tensor, globalStep?: number | null | ImageOptions, options?: ImageOptions): void;
  addImages(...args: unknown[]): void {
    this.#image("add_images", "NCHW", args);
  }

  /** Nothing waits here: events leave at once. */
  flush(): void {}

  /** As in PyTorch, a closed writer that is used again goes on. */
  close(): void {}

  [Symbol.dispose](): void {
    this.close();
  }

  #image(name: string, defaultFormat: string, args: unknown[]): void {
    const params = ["!tag", "!imgTensor", "globalStep", "walltime", "dataformats"];
    const call = bind<ImageOptions & { tag: string; imgTensor: Tensor }>(name, params, withoutNull(args));
    const { tag, imgTensor, dataformats = defaultFormat } = call;
    if (!(imgTensor instanceof Tensor)) {
      throw new NotImplementedError(
        `Got <class '${pythonTypeName(imgTensor)}'>, but numpy array or torch tensor are expected.`,
        { hint: "transforms.ToTensor() makes a tensor of a picture" },
      );
    }
    const { picture, clippedShare, tiles } = tensorPicture(imgTensor, dataformats);
    emit({ kind: "images", ...this.#place(tag, call), picture, shape: [...imgTensor.shape], clippedShare, tiles });
  }

  #place(tag: string, { globalStep, walltime }: EventOptions) {
    return { tag, step: globalStep ?? 0, wallTime: walltime ?? Date.now() / 1000, logDir: this.logDir };
  }
}

function scalarOf(value: unknown): number {
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return Number(value);
  if (!(value instanceof Tensor)) {
    throw new NotImplementedError(
      `Got <class '${pythonTypeName(value)}'>, but numpy array or torch tensor are expected.`,
    );
  }
  if (value.numel() !== 1) {
    const dimensions = value.shape.filter((size) => size !== 1).length;
    throw new AssertionError(
      `Tensor should contain one element (0 dimensions). \
            Was given size: ${value.numel()} and ${dimensions} dimensions.`,
      { hint: "reduce it to one number: loss.mean(), x.sum()", shapes: [value.shape] },
    );
  }
  return Number(value.item());
}

/** None among the positional arguments means: not given. */
function withoutNull(args: readonly unknown[]): unknown[] {
  return args.map((value) => (value === null ? undefined : value));
}

/** Nov24_08-14-54, as PyTorch names its runs. */
function timeText(date: Date): string {
  const month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][date.getMonth()];
  const two = (value: number) => String(value).padStart(2, "0");
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join("-");
  return `${month}${two(date.getDate())}_${time}`;
}
