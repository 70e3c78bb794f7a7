/**
 * npm run data:standin -- DIR
 *
 * Writes the stand-in data set in CIFAR-10's binary layout, so that PyTorch reads the very pictures of the lessons:
 * data_batch_1.bin (all 50,000 training records in one file), test_batch.bin and batches.meta.txt.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { packRecord, RECORD_BYTES } from "../../torchvision/cifar10-binary.ts";
import { readAtlas } from "../../torchvision/standin/atlas.ts";
import { COUNTS, composePicture, labelOf, type Split } from "../../torchvision/standin/compose.ts";

const target = process.argv[2];
if (!target) {
  console.error(
    "usage: npm run data:standin -- DIR\nDIR is the folder to write to; it is made where it doesn't exist.",
  );
  process.exit(2);
}
const folder = resolve(target);
const atlas = readAtlas(readFileSync(new URL("../../torchvision/standin/atlas.bin", import.meta.url)));
mkdirSync(folder, { recursive: true });
writeSplit("train", "data_batch_1.bin");
writeSplit("test", "test_batch.bin");
writeFileSync(join(folder, "batches.meta.txt"), `${atlas.classes.join("\n")}\n\n`);
console.log(`The stand-in is in ${folder}; it is not CIFAR-10, only shaped like it.`);

function writeSplit(split: Split, name: string): void {
  const count = COUNTS[split];
  const file = new Uint8Array(count * RECORD_BYTES);
  for (let i = 0; i < count; i++) packRecord(file, i, labelOf(split, i), composePicture(atlas, split, i));
  writeFileSync(join(folder, name), file);
  console.log(`${name}: ${count} records`);
}
