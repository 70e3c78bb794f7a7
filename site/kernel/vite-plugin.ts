/**
 * Gives the page the addresses of what runs in the kernel's worker: `import { kernelUrl, webGpuUrl } from
 * "virtual:stride-kernel"`. In a build they are assets with a hash in their names, beside the module that asks for them, so
 * that any base path serves them; the dev server bundles them anew whenever they are asked for, which takes a tenth of a
 * second.
 */
import { createHash } from "node:crypto";
import type { Plugin } from "vite";
import { bundleKernel, KernelBundler, WEBGPU_ENTRY } from "./bundle.ts";

const MODULE = "virtual:stride-kernel";
const RESOLVED = "\0stride-kernel";

/** The exported name of each address, the file's name, and the entry if it is not the kernel's own. */
const TEXTS = [
  { exported: "kernelUrl", name: "kernel", entry: undefined },
  { exported: "webGpuUrl", name: "webgpu", entry: WEBGPU_ENTRY },
] as const;

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
      const lines = TEXTS.map(async ({ exported, name, entry }) => {
        const line = (address: string): string => `export const ${exported} = ${address};\n`;
        if (serving) return line(JSON.stringify(`${base.replace(/\/?$/, "/")}${devPath(name)}`));
        // The pages are rendered in another environment, where nobody starts a kernel.
        if (this.environment.name !== "client") return line('""');
        const source = await bundleKernel({ minify: true, entry });
        const hash = createHash("sha256").update(source).digest("hex").slice(0, 8);
        const originalFileName = `${name}.${hash}.js`;
        const reference = this.emitFile({ type: "asset", name: `${name}.js`, originalFileName, source });
        return line(`import.meta.ROLLUP_FILE_URL_${reference}`);
      });
      return (await Promise.all(lines)).join("");
    },
    configureServer(server) {
      const bundlers = TEXTS.map(({ name, entry }) => ({
        path: `/${devPath(name)}`,
        bundler: new KernelBundler({ minify: false, entry }),
      }));
      server.httpServer?.once("close", () => {
        for (const { bundler } of bundlers) void bundler.dispose();
      });
      server.middlewares.use((request, response, next) => {
        const asked = request.url?.split("?")[0];
        const found = bundlers.find(({ path }) => asked?.endsWith(path));
        if (!found) return next();
        found.bundler.text().then(
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

const devPath = (name: string): string => `@stride-${name}.js`;
