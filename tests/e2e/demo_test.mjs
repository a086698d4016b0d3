// The main job as a newcomer sees it: the demo plays its film in a real browser and says so.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const state = mkdtempSync(join(tmpdir(), "reelway-demo-"));
after(() => rmSync(state, { recursive: true, force: true }));

test("demo --check plays a film in Chromium", () => {
  const run = spawnSync("node", [join(root, "tools/demo.mjs"), "--bin", process.env.REELWAY_BIN, "--check", "--state", join(state, "demo")], { encoding: "utf8", maxBuffer: 1 << 26 });
  assert.equal(run.status, 0, run.stdout + run.stderr);
  const seen = JSON.parse(run.stdout.trim().split("\n").at(-1));
  assert.equal(seen.playing, true);
  assert.deepEqual(seen.errors, []);
  assert.ok(seen.decoded_frames > 0);
  assert.ok(seen.played_s >= 12, `${seen.played_s} s`);
  assert.ok(seen.levels.length >= 2, `heights decoded: ${seen.levels}`);
  assert.ok(existsSync(seen.screenshot));
});
