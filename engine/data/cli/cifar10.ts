/**
 * npm run data:cifar10 -- FOLDER | ARCHIVE | URL [--out DIR]
 *
 * Puts CIFAR-10 where the site serves it (site/public/data/cifar10, which Git ignores). Lessons then use it in place of
 * the stand-in.
 */
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { ARCHIVE_NAME } from "../cifar10-archive.ts";
import { installCifar10 } from "./install-cifar10.ts";

const { values, positionals } = parseArgs({ allowPositionals: true, options: { out: { type: "string" } } });
const [source] = positionals;
if (!source) {
  console.error(
    "usage: npm run data:cifar10 -- FOLDER | ARCHIVE | URL [--out DIR]\n\n" +
      `  FOLDER   one with data_batch_1.bin … test_batch.bin\n  ARCHIVE  ${ARCHIVE_NAME}\n` +
      `  URL      of the archive, such as https://www.cs.toronto.edu/~kriz/${ARCHIVE_NAME}`,
  );
  process.exit(2);
}
const target = values.out ?? fileURLToPath(new URL("../../../site/public/data/cifar10", import.meta.url));
try {
  const { summary } = await installCifar10(source, target);
  console.log(`${summary}\nWritten to ${target}.`);
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(1);
}
