/**
 * Finds CIFAR-10's records in what people have: the archive from the university's page, packed or unpacked. Runs in
 * browsers and in Node.
 */
import { RuntimeError } from "../core/errors.ts";
import { checkRecords } from "../torchvision/cifar10-binary.ts";

/** https://www.cs.toronto.edu/~kriz/cifar.html, "CIFAR-10 binary version (suitable for C programs)". */
export const ARCHIVE_NAME = "cifar-10-binary.tar.gz";
export const ARCHIVE_MD5 = "c32a1d4ab5d03f1284b67883e8d87530";

export interface NamedFile {
  /** Without folders. */
  name: string;
  bytes: Uint8Array;
}

export interface Cifar10Files {
  /** data_batch_1.bin … in order. */
  train: NamedFile[];
  test: NamedFile | null;
  /** All six files with 10,000 records each. */
  complete: boolean;
}

/**
 * Unpacks a .tar.gz (or .tar) and picks the records out.
 *
 * @throws RuntimeError when it is no such archive, holds no records, or a file is damaged
 */
export async function readCifar10Archive(archive: Uint8Array<ArrayBuffer>, name = ARCHIVE_NAME): Promise<Cifar10Files> {
  const packed = archive[0] === 0x1f && archive[1] === 0x8b;
  let tar = archive;
  if (packed) {
    try {
      tar = await gunzip(archive);
    } catch (error) {
      throw new RuntimeError(`${name} cannot be unpacked: ${error instanceof Error ? error.message : String(error)}`, {
        hint: "it may have been cut off on its way: the whole archive has 170,052,171 bytes",
      });
    }
  }
  return pickCifar10Files(readTar(tar, name), name);
}

/** Picks and checks the record files among others. @throws RuntimeError as above */
export function pickCifar10Files(files: readonly NamedFile[], where: string): Cifar10Files {
  const train = files
    .filter(({ name }) => /^data_batch_\d+\.bin$/.test(name))
    .sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
  const test = files.find(({ name }) => name === "test_batch.bin") ?? null;
  if (train.length === 0 && !test) {
    const isPython = files.some(({ name }) => /^(data_batch_\d+|test_batch)$/.test(name));
    throw new RuntimeError(`${where} holds no data_batch_….bin and no test_batch.bin`, {
      hint: isPython
        ? `this is the version for Python: take the binary one, ${ARCHIVE_NAME}`
        : `they are in ${ARCHIVE_NAME} from https://www.cs.toronto.edu/~kriz/cifar.html`,
    });
  }
  const counts = [...train, ...(test ? [test] : [])].map(({ name, bytes }) => checkRecords(bytes, name));
  return { train, test, complete: counts.length === 6 && counts.every((count) => count === 10000) };
}

async function gunzip(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const BLOCK = 512;

/** The regular files of a tar archive (POSIX ustar, https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html). */
function readTar(tar: Uint8Array, where: string): NamedFile[] {
  const files: NamedFile[] = [];
  const text = (from: number, length: number): string => {
    const bytes = tar.subarray(from, from + length);
    const end = bytes.indexOf(0);
    return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
  };
  for (let at = 0; at + BLOCK <= tar.length && tar[at] !== 0; ) {
    const size = Number.parseInt(text(at + 124, 12).trim() || "0", 8);
    if (text(at + 257, 5) !== "ustar" || !Number.isInteger(size)) {
      throw new RuntimeError(`${where} is not a tar archive`, {
        hint: `expected ${ARCHIVE_NAME}, as it is on the page`,
      });
    }
    const kind = text(at + 156, 1);
    const start = at + BLOCK;
    if (start + size > tar.length) throw new RuntimeError(`${where} is cut off inside ${text(at, 100)}`);
    if (kind === "0" || kind === "") {
      files.push({ name: text(at, 100).split("/").pop()!, bytes: tar.subarray(start, start + size) });
    }
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}
