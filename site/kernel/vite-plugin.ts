/**
 * Gives the page the address of the kernel's text: `import { kernelUrl } from "virtual:stride-kernel"`. In a build it is an
 * asset with a hash in its name, beside the module that asks for it, so that any base path serves it; the dev server bundles
 * it anew whenever it is asked for, which takes a tenth of a second.
 */
import { createHash } from "node:crypto";
import type { Plugin } from "vite";
import { bundleKernel, KernelBundler } from "./bundle.ts";

const MODULE = "virtual:stride-kernel";
const RESOLVED = "\0stride-kernel";
const DEV_PATH = "@stride-kernel.js";

export function strideKernel(): Plugin {
  let base = "/";
  let serving = false;
  return {
    name: "stride-kernel",
    configResolved(config) {
      base = config.base;
      serving = config.command === "serve";
    },
    resolveId(id) {
      return id === MODULE ? RESOLVED : null;
    },
    async load(id) {
      if (id !== RESOLVED) return null;
      if (serving) return `export const kernelUrl = ${JSON.stringify(`${base.replace(/\/?$/, "/")}${DEV_PATH}`)};`;
      // The pages are rendered in another environment, where nobody starts a kernel.
      if (this.environment.name !== "client") return `export const kernelUrl = "";`;
      const source = await bundleKernel({ minify: true });
      const hash = createHash("sha256").update(source).digest("hex").slice(0, 8);
      const reference = this.emitFile({
        type: "asset",
        name: "kernel.js",
        originalFileName: `kernel.${hash}.js`,
        source,
      });
      return `export const kernelUrl = import.meta.ROLLUP_FILE_URL_${reference};`;
    },
    configureServer(server) {
      const bundler = new KernelBundler({ minify: false });
      server.httpServer?.once("close", () => void bundler.dispose());
      server.middlewares.use((request, response, next) => {
        const path = request.url?.split("?")[0];
        if (!path?.endsWith(`/${DEV_PATH}`)) return next();
        bundler.text().then(
          (text) => {
            response.setHeader("Content-Type", "text/javascript");
            response.setHeader("Cache-Control", "no-store");
            response.end(text);
          },
          (error: Error) => {
            server.config.logger.error(error.message);
            response.statusCode = 500;
            response.end(error.message);
          },
        );
      });
    },
  };
}
