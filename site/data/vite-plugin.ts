/**
 * Tells the page which pictures the site serves: `import { atlasUrl, cifar10 } from "virtual:stride-data"`. The stand-in's
 * atlas becomes an asset of the build; CIFAR-10 is there when `npm run data:cifar10` has put it into the public folder.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";

const MODULE = "virtual:stride-data";
const RESOLVED = "\0stride-data";
const ATLAS = fileURLToPath(new URL("../../engine/torchvision/standin/atlas.bin", import.meta.url));
const MANIFEST = fileURLToPath(new URL("../public/data/cifar10/manifest.json", import.meta.url));
const DEV_PATH = "@stride-atlas.bin";

export function strideData(): Plugin {
  let base = "/";
  let serving = false;
  return {
    name: "stride-data",
    configResolved(config) {
      base = config.base.replace(/\/?$/, "/");
      serving = config.command === "serve";
    },
    resolveId(id) {
      return id === MODULE ? RESOLVED : null;
    },
    load(id) {
      if (id !== RESOLVED) return null;
      const cifar10 = existsSync(MANIFEST) ? JSON.stringify(`${base}data/cifar10/manifest.json`) : "null";
      if (serving)
        return `export const atlasUrl = ${JSON.stringify(base + DEV_PATH)};\nexport const cifar10 = ${cifar10};`;
      if (this.environment.name !== "client") return `export const atlasUrl = "";\nexport const cifar10 = null;`;
      const reference = this.emitFile({ type: "asset", name: "standin.bin", source: readFileSync(ATLAS) });
      return `export const atlasUrl = import.meta.ROLLUP_FILE_URL_${reference};\nexport const cifar10 = ${cifar10};`;
    },
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        if (!request.url?.split("?")[0]?.endsWith(`/${DEV_PATH}`)) return next();
        response.setHeader("Content-Type", "application/octet-stream");
        response.end(readFileSync(ATLAS));
      });
    },
  };
}
