/**
 * CIFAR-10's binary layout, as on https://www.cs.toronto.edu/~kriz/cifar.html: records of 3073 bytes, one label and then
 * 3 × 32 × 32 pixels, red plane first, row by row.
 */
import { RuntimeError } from "../core/errors.ts";

export const PIXELS = 32 * 32;
export const RECORD_BYTES = 1 + 3 * PIXELS;
export const CLASS_COUNT = 10;

/**
 * How many records a file holds.
 *
 * @param name the file's name, for the message
 * @throws RuntimeError naming the file, and the record where one is wrong
 */
export function checkRecords(file: Uint8Array, name: string): number {
  if (file.length === 0 || file.length % RECORD_BYTES !== 0) {
    const whole = Math.floor(file.length / RECORD_BYTES);
    throw new RuntimeError(
      `${name}: ${file.length} bytes are not a whole number of CIFAR-10 records of ${RECORD_BYTES} bytes ` +
        `(record ${whole} would end after the file)`,
      { hint: "the file may have been cut off on its way, or be the Python version: take the binary version" },
    );
  }
  const count = file.length / RECORD_BYTES;
  for (let record = 0; record < count; record++) {
    const label = file[record * RECORD_BYTES]!;
    if (label >= CLASS_COUNT) {
      throw new RuntimeError(`${name}: record ${record} has label ${label}, but CIFAR-10's labels are 0 to 9`, {
        hint: "CIFAR-100 has two label bytes per record and is another data set",
      });
    }
  }
  return count;
}

/** The picture of a record, 32 × 32 × 3, the three colours of a pixel together. */
export function unpackPicture(file: Uint8Array, record: number): Uint8Array<ArrayBuffer> {
  const start = record * RECORD_BYTES + 1;
  const picture = new Uint8Array(3 * PIXELS);
  for (let pixel = 0; pixel < PIXELS; pixel++) {
    picture[3 * pixel] = file[start + pixel]!;
    picture[3 * pixel + 1] = file[start + PIXELS + pixel]!;
    picture[3 * pixel + 2] = file[start + 2 * PIXELS + pixel]!;
  }
  return picture;
}

/** Writes a record: the inverse of `unpackPicture`. */
export function packRecord(file: Uint8Array, record: number, label: number, picture: Uint8Array): void {
  const start = record * RECORD_BYTES;
  file[start] = label;
  for (let pixel = 0; pixel < PIXELS; pixel++) {
    file[start + 1 + pixel] = picture[3 * pixel]!;
    file[start + 1 + PIXELS + pixel] = picture[3 * pixel + 1]!;
    file[start + 1 + 2 * PIXELS + pixel] = picture[3 * pixel + 2]!;
  }
}
