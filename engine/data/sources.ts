/**
 * Where the pictures of `torchvision.datasets` come from. The engine fetches nothing: whoever runs it (the kernel, a
 * script) hands files in, and a data set finds them here when it is made, without waiting.
 */
import { RuntimeError } from "../core/errors.ts";
import { checkRecords, RECORD_BYTES, unpackPicture } from "../torchvision/cifar10-binary.ts";
import { type Atlas, readAtlas } from "../torchvision/standin/atlas.ts";
import { COUNTS, composePicture, labelOf, type Split } from "../torchvision/standin/compose.ts";

type Bytes = ArrayBuffer | Uint8Array;

export interface DatasetFile {
  /** "cifar10": the official binary layout in `train` and `test`. "standin": the emoji atlas in `atlas`. */
  name: "cifar10" | "standin";
  /** data_batch_1.bin … data_batch_5.bin, joined or one after the other. */
  train?: Bytes | readonly Bytes[] | null;
  /** test_batch.bin. */
  test?: Bytes | readonly Bytes[] | null;
  atlas?: Bytes | null;
}

/** Labelled pictures of one split. */
export interface PictureSource {
  /** What the page calls it. */
  readonly title: string;
  readonly length: number;
  /** 0 … 9. */
  label(index: number): number;
  /** 32 × 32 × 3 bytes, the colours of a pixel together. A fresh copy. */
  picture(index: number): Uint8Array<ArrayBuffer>;
}

export interface DatasetInfo {
  name: "cifar10" | "standin";
  title: string;
  /** How many pictures each split has; null where its file was not provided. */
  train: number | null;
  test: number | null;
}

const TITLES = { cifar10: "CIFAR-10", standin: "Stride's stand-in for CIFAR-10 (emoji artwork)" } as const;

const provided: { cifar10?: Record<Split, PictureSource | null>; standin?: Record<Split, PictureSource | null> } = {};

/**
 * Hands a data set to the engine; one of the same name is replaced. CIFAR-10 goes before the stand-in where both are here.
 *
 * @throws RuntimeError when a file is not in its format, naming the file and the record
 */
export function provideDataset(file: DatasetFile): void {
  if (file.name === "standin") {
    if (!file.atlas) throw new RuntimeError("provideDataset: the stand-in needs its atlas");
    const atlas = readAtlas(file.atlas instanceof Uint8Array ? file.atlas : new Uint8Array(file.atlas));
    provided.standin = { train: composed(atlas, "train"), test: composed(atlas, "test") };
    return;
  }
  const train = recorded(file.train, "data_batch");
  const test = recorded(file.test, "test_batch");
  if (!train && !test) throw new RuntimeError("provideDataset: CIFAR-10 needs its training or test records");
  provided.cifar10 = { train, test };
}

/** Takes a data set away again; all of them without a name. */
export function withdrawDataset(name?: DatasetFile["name"]): void {
  if (name !== "standin") delete provided.cifar10;
  if (name !== "cifar10") delete provided.standin;
}

/** Which data set `CIFAR10` reads now; null when there is none yet. */
export function datasetInfo(): DatasetInfo | null {
  const name = provided.cifar10 ? "cifar10" : provided.standin ? "standin" : null;
  if (!name) return null;
  const splits = provided[name]!;
  return { name, title: TITLES[name], train: splits.train?.length ?? null, test: splits.test?.length ?? null };
}

/** @throws RuntimeError that says how to get the data */
export function pictureSource(split: Split): PictureSource {
  const source = (provided.cifar10 ?? provided.standin)?.[split];
  if (source) return source;
  throw new RuntimeError("Dataset not found or corrupted. You can use download=True to download it", {
    hint: provided.cifar10
      ? `only the other half of CIFAR-10 is here: ${split === "train" ? "data_batch_1.bin" : "test_batch.bin"} is missing`
      : "nothing is downloaded here: put CIFAR-10 beside the site with `npm run data:cifar10 -- FOLDER_ARCHIVE_OR_URL`, drop " +
        "cifar-10-binary.tar.gz on the page, or, in a script, call provideDataset with the files or the stand-in's atlas",
  });
}

function recorded(files: DatasetFile["train"], stem: string): PictureSource | null {
  if (!files) return null;
  const parts = (isList(files) ? files : [files]).map((part) =>
    part instanceof Uint8Array ? part : new Uint8Array(part),
  );
  if (parts.length === 0) return null;
  const counts = parts.map((part, i) =>
    checkRecords(part, stem === "test_batch" ? "test_batch.bin" : `data_batch_${i + 1}.bin`),
  );
  const length = counts.reduce((sum, count) => sum + count, 0);
  const locate = (index: number): [Uint8Array, number] => {
    let record = index;
    for (let i = 0; ; i++) {
      if (record < counts[i]!) return [parts[i]!, record];
      record -= counts[i]!;
    }
  };
  return {
    title: TITLES.cifar10,
    length,
    label(index) {
      const [part, record] = locate(index);
      return part[record * RECORD_BYTES]!;
    },
    picture(index) {
      const [part, record] = locate(index);
      return unpackPicture(part, record);
    },
  };
}

/** Composing a picture takes a fifth of a millisecond; the first that were asked for are kept, 61 MB at most. */
const KEPT_PICTURES = 20000;
let kept = 0;

function composed(atlas: Atlas, split: Split): PictureSource {
  const pictures = new Map<number, Uint8Array<ArrayBuffer>>();
  kept = 0;
  return {
    title: TITLES.standin,
    length: COUNTS[split],
    label: (index) => labelOf(split, index),
    picture(index) {
      const known = pictures.get(index);
      if (known) return known.slice();
      const picture = composePicture(atlas, split, index);
      if (kept < KEPT_PICTURES) {
        pictures.set(index, picture);
        kept++;
        return picture.slice();
      }
      return picture;
    },
  };
}

function isList(files: Bytes | readonly Bytes[]): files is readonly Bytes[] {
  return Array.isArray(files);
}
