/**
 * Gives the editor the address of the engine's type declarations: `import { typesUrl } from "virtual:stride-types"`. One
 * JSON file, path below node_modules → text; fetched when the first rich editor opens, never by readers.
 */
import { createHash } from "node:crypto";
import type { Plugin } from "vite";
import { editorTypes } from "../../engine/build/declarations.ts";

const MODULE = "virtual:stride-types";
const RESOLVED = "\0stride-types";
const DEV_PATH = "@stride-types.json";

/** Monaco's own TypeScript worker: 7 MB that nobody would load, since ours (monaco/cell.worker.ts) takes its place. */
const STOCK_WORKER = "createWorker: () => new Worker(new URL('ts.worker.js', import.meta.url), { type: \"module\" }),";

export function strideTypes(): Plugin {
  let base = "/";
  let serving = false;
  return {
    name: "stride-types",
    configResolved(config) {
      base = config.base;
      serving = config.command === "serve";
    },
    resolveId(id) {
      return id === MODULE ? RESOLVED : null;
    },
    load(id) {
      if (id !== RESOLVED) return null;
      if (serving) return `export const typesUrl = ${JSON.stringify(`${base.replace(/\/?$/, "/")}${DEV_PATH}`)};`;
      if (this.environment.name !== "client") return `export const typesUrl = "";`;
      const source = JSON.stringify(editorTypes());
      const hash = createHash("sha256").update(source).digest("hex").slice(0, 8);
      const reference = this.emitFile({
        type: "asset",
        name: "types.json",
        originalFileName: `types.${hash}.json`,
        source,
      });
      return `export const typesUrl = import.meta.ROLLUP_FILE_URL_${reference};`;
    },
    transform(code, id) {
      if (!id.split("?")[0]!.endsWith("/languages/features/typescript/workerManager.js")) return null;
      if (!code.includes(STOCK_WORKER))
        throw new Error("stride-types: Monaco starts its TypeScript worker in another way now");
      return { code: code.replace(STOCK_WORKER, ""), map: null };
    },
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        if (!request.url?.split("?")[0]?.endsWith(`/${DEV_PATH}`)) return next();
        try {
          const text = JSON.stringify(editorTypes());
          response.setHeader("Content-Type", "application/json");
          response.setHeader("Cache-Control", "no-store");
          response.end(text);
        } catch (error) {
          server.config.logger.error(String(error));
          response.statusCode = 500;
          response.end(String(error));
        }
      });
    },
  };
}
