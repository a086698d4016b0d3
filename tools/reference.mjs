// Writes docs/reference and config/ from the tables in the code, by asking the built programs:
//   node tools/reference.mjs --bin build/dev/bin
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const pages = [
  ["docs/reference/errors.md", "reelway-origin", ["--print-reference", "errors"]],
  ["docs/reference/origin_config.md", "reelway-origin", ["--print-reference", "config"]],
  ["docs/reference/origin_metrics.md", "reelway-origin", ["--print-reference", "metrics"]],
  ["docs/reference/worker_config.md", "reelway-worker", ["--print-reference", "config"]],
  ["docs/reference/edge_config.md", "reelway-edge", ["--print-reference", "config"]],
  ["docs/reference/edge_metrics.md", "reelway-edge", ["--print-reference", "metrics"]],
  ["config/origin.yaml", "reelway-origin", ["--print-example-config"]],
  ["config/worker.yaml", "reelway-worker", ["--print-example-config"]],
  ["config/edge.yaml", "reelway-edge", ["--print-example-config"]],
  ["config/reelway.yaml", "reelway", ["--print-example-config"]],
];

function current(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

const at = process.argv.indexOf("--bin");
if (at < 0 || at + 1 >= process.argv.length) {
  console.error("usage: node tools/reference.mjs --bin FOLDER");
  process.exit(2);
}
for (const [file, program, args] of pages) {
  const text = execFileSync(join(process.argv[at + 1], program), args, { encoding: "utf8" });
  const path = join(root, file);
  if (current(path) === text) continue;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  console.log(`wrote ${file}`);
}
