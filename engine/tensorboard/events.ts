/**
 * What a SummaryWriter says, as data. Whoever shows or stores it (the page's panel, a writer of event files) sets a sink
 * and gets every event of every writer.
 */

/** RGBA picture, ready for putImageData. */
export interface EventPicture {
  /** In pixels. */
  width: number;
  height: number;
  pixels: Uint8ClampedArray;
}

interface EventBase {
  tag: string;
  /** `globalStep`; 0 where none was given, as in TensorBoard's files. */
  step: number;
  /** Seconds since 1970. */
  wallTime: number;
  /** The writer's folder: TensorBoard's name for the run. */
  logDir: string;
}

export interface ScalarEvent extends EventBase {
  kind: "scalars";
  /** In single precision, as TensorBoard stores it, unless `doublePrecision` was asked for. */
  value: number;
}

export interface ImageEvent extends EventBase {
  kind: "images";
  picture: EventPicture;
  /** Of the tensor that was given. */
  shape: number[];
  /** How many of its values lay outside of what a picture can show, from 0 to 1. */
  clippedShare: number;
  /** How a batch was laid out; null for one image. */
  tiles: { rows: number; columns: number } | null;
}

export type TensorboardEvent = ScalarEvent | ImageEvent;

let sink: ((event: TensorboardEvent) => void) | null = null;

/** Sends every event to `receive`; null: to nobody. */
export function setTensorboardSink(receive: ((event: TensorboardEvent) => void) | null): void {
  sink = receive;
}

/** For writers. */
export function emit(event: TensorboardEvent): void {
  sink?.(event);
}
