/**
 * Builds the site once for all browser tests, below a base path as on a project's page, and serves it. STRIDE_E2E_SITE names
 * a folder that is built already (with the same base), to save the build while writing tests.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { TestProject } from "vitest/node";
import { serveFolder } from "./server.ts";

export const BASE = "/courses/stride/";
const root = fileURLToPath(new URL("../../", import.meta.url));

declare module "vitest" {
  interface ProvidedContext {
    /** Address of the built site, ending in "/". */
    site: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = process.env.STRIDE_E2E_SITE ?? `${root}.cache/e2e-site`;
  if (process.env.STRIDE_E2E_SITE === undefined) build(folder);
  const site = await serveFolder(folder, BASE);
  project.provide("site", site.url);
  return site.close;
}

function build(folder: string): void {
  const started = performance.now();
  const env = { ...process.env, STRIDE_BASE: BASE, STRIDE_OUT: folder, NODE_ENV: "production" };
  const { status, stdout, stderr } = spawnSync("npm", ["run", "build"], {
    cwd: root,
    env,
    encoding: "utf8",
    shell: process.platform === "win32",
  });
  if (status !== 0) throw new Error(`the site does not build:\n${stdout}\n${stderr}`);
  console.log(`built the site in ${((performance.now() - started) / 1000).toFixed(0)} s`);
}
