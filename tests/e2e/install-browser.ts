/**
 * `npm run browser`: makes sure that there is a Chrome or Chromium for the tests. Where none is found, installs Debian's
 * package as root on a Debian, else Playwright's build.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { findBrowser } from "./browser.ts";

function run(command: string, args: string[]): boolean {
  console.log(`$ ${command} ${args.join(" ")}`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return spawnSync(command, args, { stdio: "inherit", env }).status === 0;
}

function installDebian(): boolean {
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) return false;
  return (
    run("apt-get", ["update", "-qq"]) && run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", "chromium"])
  );
}

const found = findBrowser();
if (found !== null) console.log(`browser: ${found}`);
else {
  if (!installDebian()) run(process.execPath, ["node_modules/playwright-core/cli.js", "install", "chromium"]);
  const installed = findBrowser();
  if (installed === null) {
    console.error("no Chrome or Chromium could be installed; install one and set STRIDE_CHROME to its path");
    process.exit(1);
  }
  console.log(`browser: ${installed}`);
}
