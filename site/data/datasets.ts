/** Fetches the pictures that lessons use and hands them to the kernel, once, before the first cell that asks for them. */
import { atlasUrl, cifar10 } from "virtual:stride-data";
import type { DatasetFile, KernelClient } from "../kernel/protocol.ts";

interface Manifest {
  train: { file: string }[];
  test: { file: string }[];
}

export const needsPictures = (source: string): boolean => /["']torchvision\/datasets["']/.test(source);

let loading: Promise<DatasetFile["name"]> | null = null;

/** Loads CIFAR-10 where the site has it, else the stand-in; says which. A failed fetch is tried again next time. */
export function loadPictures(client: KernelClient): Promise<DatasetFile["name"]> {
  loading ??= fetchPictures()
    .then(async (file) => {
      await client.api.loadDataset(file);
      return file.name;
    })
    .catch((error: unknown) => {
      loading = null;
      throw error;
    });
  return loading;
}

async function fetchPictures(): Promise<DatasetFile> {
  if (cifar10 !== null) {
    try {
      return await fetchCifar10(cifar10);
    } catch {
      // Half a data set is no data set: the stand-in serves.
    }
  }
  return { name: "standin", train: null, test: null, atlas: await bytes(atlasUrl) };
}

async function fetchCifar10(manifestUrl: string): Promise<DatasetFile> {
  const manifest = JSON.parse(new TextDecoder().decode(await bytes(manifestUrl))) as Manifest;
  const at = (file: string) => new URL(file, new URL(manifestUrl, location.href)).href;
  const [train, test] = await Promise.all(
    [manifest.train, manifest.test].map(async (files) =>
      joined(await Promise.all(files.map(({ file }) => bytes(at(file))))),
    ),
  );
  return { name: "cifar10", train: train ?? null, test: test ?? null, atlas: null };
}

function joined(parts: ArrayBuffer[]): ArrayBuffer | null {
  if (parts.length === 0) return null;
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(new Uint8Array(part), at);
    at += part.byteLength;
  }
  return whole.buffer;
}

async function bytes(url: string): Promise<ArrayBuffer> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response.arrayBuffer();
}
