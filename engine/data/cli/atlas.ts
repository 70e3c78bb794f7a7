/**
 * npm run data:atlas
 *
 * Draws the stand-in's atlas anew from the icon packages. Only needed after a change of engine/torchvision/standin/
 * drawings.ts or of the packages; recorded lesson outputs that show pictures have to be recorded again afterwards.
 */
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { buildAtlas } from "../../torchvision/standin/build.ts";

const file = await buildAtlas();
const target = new URL("../../torchvision/standin/atlas.bin", import.meta.url);
writeFileSync(target, file);
console.log(`atlas.bin: ${file.length} bytes, sha256 ${createHash("sha256").update(file).digest("hex")}`);
