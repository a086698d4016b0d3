// Puts the page and hls.js into dist/, which any static server can serve. There is nothing to compile: browsers load
// the modules as they are.

import { cpSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

export function buildPage(target = join(here, "dist")) {
  rmSync(target, { recursive: true, force: true });
  mkdirSync(join(target, "vendor"), { recursive: true });
  for (const name of ["index.html", "style.css", "icon.svg", "src"]) cpSync(join(here, name), join(target, name), { recursive: true });
  for (const name of ["dist/hls.min.mjs", "LICENSE"]) {
    cpSync(join(here, "node_modules/hls.js", name), join(target, "vendor", name === "LICENSE" ? "hls.LICENSE" : "hls.min.mjs"));
  }
  return target;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(buildPage());
