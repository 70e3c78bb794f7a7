/** Copies CIFAR-10's records to where the site serves them, with a manifest that says what is there. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { RECORD_BYTES } from "../../torchvision/cifar10-binary.ts";
import {
  ARCHIVE_MD5,
  ARCHIVE_NAME,
  type Cifar10Files,
  pickCifar10Files,
  readCifar10Archive,
} from "../cifar10-archive.ts";

export interface Manifest {
  name: "cifar10";
  /** Whether the archive had its published checksum, so that nothing can be wrong with it. */
  verified: boolean;
  train: ManifestFile[];
  test: ManifestFile[];
}

export interface ManifestFile {
  /** Beside the manifest. */
  file: string;
  records: number;
  bytes: number;
  sha256: string;
}

export interface Installed {
  manifest: Manifest;
  /** For people: what was found and whether it could be checked. */
  summary: string;
}

/**
 * @param source a folder with the .bin files (or with the archive's own folder in it), the archive, or its URL
 * @param target the folder to write to; its records of before are replaced
 * @throws Error when the source is missing or damaged, before anything is written
 */
export async function installCifar10(source: string, target: string): Promise<Installed> {
  const { files, md5 } = await read(source);
  if (md5 !== null && md5 !== ARCHIVE_MD5 && files.complete) {
    throw new Error(
      `${source} is the whole archive but has not its published checksum: MD5 ${md5} instead of ${ARCHIVE_MD5}.\n` +
        "It was damaged or changed on its way: fetch it again from https://www.cs.toronto.edu/~kriz/cifar.html",
    );
  }
  const verified = md5 === ARCHIVE_MD5;
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(target))
    if (/^(data_batch_\d+|test_batch)\.bin$/.test(name)) rmSync(join(target, name));
  const write = ({ name, bytes }: { name: string; bytes: Uint8Array }): ManifestFile => {
    writeFileSync(join(target, name), bytes);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    return { file: name, records: bytes.length / RECORD_BYTES, bytes: bytes.length, sha256 };
  };
  const train = files.train.map(write);
  const test = files.test ? [write(files.test)] : [];
  const manifest: Manifest = { name: "cifar10", verified, train, test };
  writeFileSync(join(target, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  return { manifest, summary: summarise(manifest, files.complete) };
}

async function read(source: string): Promise<{ files: Cifar10Files; md5: string | null }> {
  if (/^https?:\/\//.test(source)) return readArchive(await download(source), source);
  const stat = statSync(source, { throwIfNoEntry: false });
  if (!stat) throw new Error(`${source} does not exist`);
  if (!stat.isDirectory()) return readArchive(new Uint8Array(readFileSync(source)), basename(source));
  const inner = join(source, "cifar-10-batches-bin");
  const folder = statSync(inner, { throwIfNoEntry: false })?.isDirectory() ? inner : source;
  const named = readdirSync(folder)
    .filter((name) => statSync(join(folder, name)).isFile())
    .map((name) => ({
      name,
      bytes: /\.bin$/.test(name) ? new Uint8Array(readFileSync(join(folder, name))) : new Uint8Array(),
    }));
  return { files: pickCifar10Files(named, folder), md5: null };
}

async function readArchive(bytes: Uint8Array<ArrayBuffer>, name: string) {
  return { files: await readCifar10Archive(bytes, name), md5: createHash("md5").update(bytes).digest("hex") };
}

async function download(url: string): Promise<Uint8Array<ArrayBuffer>> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    throw new Error(`${url} cannot be reached: ${cause}`);
  }
  if (!response.ok) throw new Error(`${url} answered ${response.status} ${response.statusText}`);
  return new Uint8Array(await response.arrayBuffer());
}

function summarise({ verified, train, test }: Manifest, complete: boolean): string {
  const count = (files: ManifestFile[]) => files.reduce((sum, { records }) => sum + records, 0).toLocaleString("en");
  const checked = verified
    ? `${ARCHIVE_NAME}, checksum as published`
    : complete
      ? "all records are there (a checksum is published for the archive only)"
      : "not the whole data set";
  return `CIFAR-10: ${count(train)} training and ${count(test)} test images; ${checked}.`;
}
