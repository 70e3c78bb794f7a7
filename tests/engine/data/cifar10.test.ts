import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeEach, describe, expect, it } from "vitest";
import { readCifar10Archive } from "../../../engine/data/cifar10-archive.ts";
import { installCifar10 } from "../../../engine/data/cli/install-cifar10.ts";
import { DataLoader } from "../../../engine/data/index.ts";
import { datasetInfo, provideDataset, withdrawDataset } from "../../../engine/data/sources.ts";
import { packRecord, RECORD_BYTES } from "../../../engine/torchvision/cifar10-binary.ts";
import { CIFAR10 } from "../../../engine/torchvision/datasets.ts";
import { Picture } from "../../../engine/torchvision/picture.ts";
import * as transforms from "../../../engine/torchvision/transforms.ts";
import { ATLAS, errorOf, valuesOf } from "./support.ts";

/** Records in the official layout whose pixels say where they are. */
function records(count: number): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(count * RECORD_BYTES);
  for (let i = 0; i < count; i++)
    packRecord(
      file,
      i,
      i % 10,
      Uint8Array.from({ length: 3072 }, (_, p) => (p * 7 + i) % 256),
    );
  return file;
}

beforeEach(() => withdrawDataset());

describe("CIFAR10", () => {
  it("reads the official binary layout", () => {
    provideDataset({ name: "cifar10", train: records(12).buffer, test: records(3) });
    const train = new CIFAR10("./data");
    const [picture, label] = train.get(11);
    expect([train.length, new CIFAR10("./data", { train: false }).length]).toEqual([12, 3]);
    expect(label).toBe(1);
    expect(picture).toBeInstanceOf(Picture);
    expect([...picture.data.subarray(0, 6)]).toEqual([11, 18, 25, 32, 39, 46]);
    expect(train.targets).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
    expect(train.classes[3]).toBe("cat");
    expect(train.classToIdx.truck).toBe(9);
    expect([...train.data.shape]).toEqual([12, 32, 32, 3]);
    expect(valuesOf(train.data.at(11)).slice(0, 6)).toEqual([11, 18, 25, 32, 39, 46]);
  });

  it("reads planes: red, green and blue of a record lie one after the other", () => {
    const file = new Uint8Array(RECORD_BYTES);
    file.set([4, 1], 0);
    file[1 + 1024] = 2;
    file[1 + 2048] = 3;
    provideDataset({ name: "cifar10", test: file });
    const [picture, label] = new CIFAR10("./data", { train: false }).get(0);
    expect([label, ...picture.data.subarray(0, 3)]).toEqual([4, 1, 2, 3]);
  });

  it("joins the five training files", () => {
    provideDataset({ name: "cifar10", train: [records(4), records(2)], test: null });
    const train = new CIFAR10("./data");
    expect(train.length).toBe(6);
    expect(train.get(5)[1]).toBe(1);
  });

  it("applies its transforms, and counts from the end", () => {
    provideDataset({ name: "cifar10", train: records(12) });
    const train = new CIFAR10("./data", {
      transform: new transforms.ToTensor(),
      targetTransform: (label) => `class ${label}`,
      download: true,
    });
    const [image, label] = train.get(-1);
    expect([...image.shape]).toEqual([3, 32, 32]);
    expect(valuesOf(image)[1]).toBe(Math.fround(32 / 255));
    expect(label).toBe("class 1");
    expect(() => train.get(12)).toThrow("index 12 is out of bounds for axis 0 with size 12");
  });

  it("prints as torchvision's", () => {
    provideDataset({ name: "cifar10", train: records(1) });
    expect(String(new CIFAR10("./data", { transform: new transforms.ToTensor() }))).toBe(
      "Dataset CIFAR10\n    Number of datapoints: 1\n    Root location: ./data\n    Split: Train\n    StandardTransform\nTransform: ToTensor()",
    );
    expect(String(new CIFAR10("./data"))).toMatch(/Split: Train$/);
  });

  it("names file and record when the data is wrong", () => {
    const short = records(2).subarray(0, 5000);
    expect(errorOf(() => provideDataset({ name: "cifar10", train: short })).message).toBe(
      "data_batch_1.bin: 5000 bytes are not a whole number of CIFAR-10 records of 3073 bytes (record 1 would end after the file)",
    );
    const wrong = records(3);
    wrong[2 * RECORD_BYTES] = 10;
    expect(errorOf(() => provideDataset({ name: "cifar10", train: [records(1), wrong] })).message).toBe(
      "data_batch_2.bin: record 2 has label 10, but CIFAR-10's labels are 0 to 9",
    );
    expect(() => provideDataset({ name: "cifar10", test: new Uint8Array() })).toThrow(/test_batch\.bin: 0 bytes/);
    expect(datasetInfo()).toBeNull();
  });

  it("says how to get the data when there is none", () => {
    expect(() => new CIFAR10("./data", { download: true })).toThrow(
      /Dataset not found or corrupted[\s\S]*hint: .*npm run data:cifar10.*drop cifar-10-binary\.tar\.gz on the page/,
    );
    provideDataset({ name: "cifar10", test: records(1) });
    expect(() => new CIFAR10("./data")).toThrow(/data_batch_1\.bin is missing/);
  });

  it("shows the stand-in meanwhile, and says that it does", () => {
    provideDataset({ name: "standin", atlas: ATLAS });
    const test = new CIFAR10("./data", { train: false, transform: new transforms.ToTensor() });
    expect([test.length, new CIFAR10("./data").length]).toEqual([10000, 50000]);
    expect(test.title).toMatch(/stand-in/);
    expect(datasetInfo()).toMatchObject({ name: "standin", train: 50000, test: 10000 });
    const [images, targets] = [
      ...new DataLoader(test, { batchSize: 64, sampler: Array.from({ length: 64 }, (_, i) => i) }),
    ][0]!;
    expect([[...images.shape], [...targets.shape], targets.dtype.name]).toEqual([[64, 3, 32, 32], [64], "int64"]);
    expect(valuesOf(targets)).toEqual(test.targets.slice(0, 64));
  });

  it("prefers the real data, also when the stand-in came later", () => {
    provideDataset({ name: "cifar10", train: records(2), test: records(2) });
    provideDataset({ name: "standin", atlas: ATLAS });
    expect(new CIFAR10("./data").title).toBe("CIFAR-10");
    withdrawDataset("cifar10");
    expect(new CIFAR10("./data").length).toBe(50000);
  });

  it("gives a copy each time, so that nobody changes the data", () => {
    provideDataset({ name: "standin", atlas: ATLAS });
    const data = new CIFAR10("./data");
    const [first] = data.get(0);
    const before = first.data.slice();
    first.data.fill(0);
    expect(data.get(0)[0].data).toEqual(before);
  });
});

/** A tar archive of the university's form. */
function archive(files: [name: string, bytes: Uint8Array][]): Uint8Array<ArrayBuffer> {
  const blocks = files.flatMap(([name, bytes]) => {
    const header = Buffer.alloc(512);
    header.write(`cifar-10-batches-bin/${name}`, 0);
    header.write(bytes.length.toString(8).padStart(11, "0"), 124);
    header.write("0", 156);
    header.write("ustar", 257);
    return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return new Uint8Array(gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]), { level: 1 }));
}

describe("CIFAR-10's archive", () => {
  it("is read in the browser's own way, files in order", async () => {
    const files = await readCifar10Archive(
      archive([
        ["data_batch_2.bin", records(2)],
        ["readme.html", Uint8Array.of(1)],
        ["data_batch_1.bin", records(1)],
        ["test_batch.bin", records(3)],
      ]),
    );
    expect(files.train.map(({ name, bytes }) => [name, bytes.length])).toEqual([
      ["data_batch_1.bin", RECORD_BYTES],
      ["data_batch_2.bin", 2 * RECORD_BYTES],
    ]);
    expect([files.test!.bytes, files.complete]).toEqual([records(3), false]);
  });

  it("is refused with a reason when it is another one, or damaged", async () => {
    const python = archive([
      ["data_batch_1", records(1)],
      ["test_batch", records(1)],
    ]);
    await expect(readCifar10Archive(python)).rejects.toThrow(/hint: this is the version for Python/);
    const cut = archive([["data_batch_1.bin", records(2)]]).subarray(0, 200);
    await expect(readCifar10Archive(cut)).rejects.toThrow(/cannot be unpacked/);
    await expect(readCifar10Archive(new Uint8Array(2000).fill(65))).rejects.toThrow(/is not a tar archive/);
    const wrong = archive([["test_batch.bin", new Uint8Array(100)]]);
    await expect(readCifar10Archive(wrong)).rejects.toThrow(/test_batch\.bin: 100 bytes/);
  });
});

describe("npm run data:cifar10", () => {
  const folder = () => mkdtempSync(join(tmpdir(), "stride-cifar10-"));

  it("takes a folder, the archive's folder inside it, or the archive, and writes a manifest", async () => {
    const source = folder();
    mkdirSync(join(source, "cifar-10-batches-bin"));
    writeFileSync(join(source, "cifar-10-batches-bin", "data_batch_1.bin"), records(2));
    writeFileSync(join(source, "cifar-10-batches-bin", "test_batch.bin"), records(1));
    const packed = join(source, "cifar-10-binary.tar.gz");
    writeFileSync(
      packed,
      archive([
        ["data_batch_1.bin", records(2)],
        ["test_batch.bin", records(1)],
      ]),
    );
    const manifests: unknown[] = [];
    for (const from of [source, join(source, "cifar-10-batches-bin"), packed]) {
      const target = folder();
      writeFileSync(join(target, "data_batch_5.bin"), "of before");
      const { manifest, summary } = await installCifar10(from, target);
      expect(summary).toBe("CIFAR-10: 2 training and 1 test images; not the whole data set.");
      expect(new Uint8Array(readFileSync(join(target, "data_batch_1.bin")))).toEqual(records(2));
      expect(existsSync(join(target, "data_batch_5.bin"))).toBe(false);
      expect(JSON.parse(readFileSync(join(target, "manifest.json"), "utf8"))).toEqual(manifest);
      manifests.push(manifest);
    }
    expect(manifests[1]).toEqual(manifests[0]);
    expect(manifests[2]).toEqual(manifests[0]);
  });

  it("refuses the whole archive with another checksum, and writes nothing", async () => {
    const names = [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`);
    const file = new Uint8Array(10000 * RECORD_BYTES);
    const source = join(folder(), "cifar-10-binary.tar.gz");
    writeFileSync(source, archive([...names, "test_batch.bin"].map((name) => [name, file])));
    const target = folder();
    await expect(installCifar10(source, target)).rejects.toThrow(/has not its published checksum: MD5/);
    expect(existsSync(join(target, "manifest.json"))).toBe(false);
  }, 60_000);

  it("says so when there is nothing to take", async () => {
    await expect(installCifar10(join(folder(), "nothing"), folder())).rejects.toThrow(/does not exist/);
    await expect(installCifar10(folder(), folder())).rejects.toThrow(/holds no data_batch/);
  });
});
