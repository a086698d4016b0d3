// A protected title as transport streams: whole segments encrypted, and samples encrypted (SAMPLE-AES), with keys that
// the edge hands to who rented it; decrypted by FFmpeg and by hls.js, neither of which shares a line with the packager.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { spawnSync } from "node:child_process";
import { buildPage } from "../../players/web/build.mjs";
import { checkPage } from "../../tools/browser_check.mjs";
import { Cluster } from "../../tools/cluster.mjs";
import { servePage } from "../../tools/page_server.mjs";
import { makeFilm, videoFrames } from "../support/films.mjs";
import { get } from "../support/playing.mjs";
import { Renting } from "../support/renting.mjs";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const state = mkdtempSync(join(tmpdir(), "reelway-ts-protection-"));
let cluster, master;

before(async () => {
  cluster = await new Cluster({ bin: process.env.REELWAY_BIN, state, edges: 1, originSettings: { "protection.default": "protected" } }).start();
  cluster.cli("ingest", makeFilm(state, { seconds: 15, rate: 25 }), "--title", "film");
  const renting = new Renting(cluster);
  await renting.order("ada", "film");
  master = (await renting.playback("ada", "film")).master_url;
});

after(async () => {
  await cluster?.stop();
  rmSync(state, { recursive: true, force: true });
});

const at = (path) => master.replace("cbcs/master.m3u8", path);
const stored = () => videoFrames(join(state, "origin/titles/film/v1/video-360.mp4"));

// It complains of what it tries to decode before it decrypts it; the sums tell whether it is right.
function played(playlist) {
  const run = spawnSync("ffmpeg", ["-v", "quiet", "-nostdin", "-allowed_extensions", "ALL", "-i", playlist, "-map", "0:v", "-f", "framemd5", "-"], { encoding: "utf8", maxBuffer: 1 << 28 });
  return run.stdout.split("\n").filter((line) => line && !line.startsWith("#")).map((line) => line.split(",").at(-1).trim());
}

test("FFmpeg decrypts whole segments: the pictures are the film's", () => {
  assert.deepEqual(played(at("ts-aes/video/360/media.m3u8")), stored());
});

test("FFmpeg decrypts samples: the pictures are the film's, up to where it stops decrypting", async () => {
  const playlist = (await get(at("ts-sample-aes/video/360/media.m3u8"))).body.toString();
  assert.match(playlist, /^#EXT-X-KEY:METHOD=SAMPLE-AES,/m);
  const [found, expected] = [played(at("ts-sample-aes/video/360/media.m3u8")), stored()];
  assert.equal(found.length, expected.length);
  // Version 5.1 leaves the last picture in decoding order as it is (docs/formats/ts.md).
  assert.deepEqual(found.slice(0, -4), expected.slice(0, -4));
});

for (const packaging of ["ts-aes", "ts-sample-aes"]) {
  test(`hls.js plays ${packaging}`, async () => {
    const page = await servePage(buildPage(join(state, "page")));
    try {
      const query = new URLSearchParams({ src: at(`${packaging}/master.m3u8`), title: "Film" });
      const seen = await checkPage({ pageUrl: `${page.url}?${query}`, masterUrl: at(`${packaging}/master.m3u8`), webFolder: join(root, "players/web"), screenshot: join(state, "page.png") });
      // As of every transport stream with B-frames (docs/formats/ts.md).
      const ofTheStart = ["mediaError bufferSeekOverHole", "mediaError bufferAppendNoProgress"];
      assert.deepEqual(seen.errors.filter((error) => !ofTheStart.includes(error)), []);
      assert.equal(seen.stalls, 0);
      assert.ok(seen.played_s >= 12, `${seen.played_s} s`);
      assert.ok(seen.decoded_frames > 0);
    } finally {
      await page.close();
    }
  });
}
