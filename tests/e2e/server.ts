/** Serves a folder as a plain static host does, below a base path, and nothing else. */
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".woff2": "font/woff2",
  ".wasm": "application/wasm",
  ".xml": "application/xml",
  ".bin": "application/octet-stream",
};

export interface StaticSite {
  /** Address of the base path, ending in "/". */
  url: string;
  close(): Promise<void>;
}

export async function serveFolder(folder: string, base = "/", port = 0): Promise<StaticSite> {
  const server: Server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname);
    const inside = path.startsWith(base) ? normalize(path.slice(base.length)) : null;
    const file =
      inside === null || inside.startsWith("..")
        ? null
        : join(folder, path.endsWith("/") ? join(inside, "index.html") : inside);
    const answer = (status: number, type: string, body: Uint8Array | string) => {
      response.writeHead(status, { "Content-Type": type, "Cache-Control": "no-cache" }).end(body);
    };
    if (file === null) return answer(404, "text/plain", "outside the site");
    readFile(file).then(
      (body) => answer(200, TYPES[extname(file)] ?? "application/octet-stream", body),
      () =>
        readFile(join(folder, "404.html")).then(
          (body) => answer(404, TYPES[".html"]!, body),
          () => answer(404, "text/plain", "not found"),
        ),
    );
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const { port: actual } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${actual}${base}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
