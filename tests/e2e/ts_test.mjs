// The same film as transport streams, for devices that play nothing else: through the edge, frame for frame and sample
// for sample what the mezzanine holds.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { buildPage } from "../../players/web/build.mjs";
import { checkPage } from "../../tools/browser_check.mjs";
import { Cluster } from "../../tools/cluster.mjs";
import { servePage } from "../../tools/page_server.mjs";
import { audioSamples, makeFilm, videoFrames } from "../support/films.mjs";
import { get, objectsOf, sha256 } from "../support/playing.mjs";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const state = mkdtempSync(join(tmpdir(), "reelway-ts-"));
const seconds = 15;
const rate = 25;
const priming = 1024;  // samples of AAC before presentation time 0
let cluster, master, version, folder;

before(async () => {
  cluster = await new Cluster({ bin: process.env.REELWAY_BIN, state, edges: 1 }).start();
  cluster.cli("ingest", makeFilm(state, { seconds, rate }), "--title", "old-film");
  master = new URL("ts/master.m3u8", cluster.cli("play-url", "old-film").url).href;
  version = cluster.cli("titles", "old-film").versions[0];
  folder = join(state, "origin", "titles", "old-film", version.version);
});

after(async () => {
  await cluster?.stop();
  rmSync(state, { recursive: true, force: true });
});

const at = (path) => new URL(path, master).href;
const stored = (rendition) => join(folder, `${rendition.id.replace("/", "-")}.mp4`);
const renditions = (kind) => version.renditions.filter((one) => one.kind === kind);

test("every variant decodes without a word, frame for frame as the mezzanine", () => {
  for (const [index, rendition] of renditions("video").entries()) {
    const run = spawnSync("ffmpeg", ["-v", "warning", "-nostdin", "-i", master, "-map", `0:v:${index}`, "-map", "0:a:0", "-f", "null", "-"], { encoding: "utf8" });
    assert.equal(run.status, 0);
    assert.equal(run.stdout + run.stderr, "", rendition.id);
    const played = videoFrames(master, index);
    assert.equal(played.length, seconds * rate);
    assert.deepEqual(played, videoFrames(stored(rendition)), rendition.id);
  }
});

test("the sound is the mezzanine's, after the coder's priming", () => {
  const played = audioSamples(master).subarray(priming * 4);
  const kept = audioSamples(stored(renditions("audio")[0]));
  assert.ok(played.length >= kept.length);
  assert.equal(sha256(played.subarray(0, kept.length)), sha256(kept));
});

test("picture and sound begin at the origin of the clock, each to a tick", () => {
  const start = (playlist) => Number(spawnSync("ffprobe", ["-v", "error", "-show_entries", "packet=pts", "-read_intervals", "%+#1", "-of", "csv=p=0", at(playlist)], { encoding: "utf8" }).stdout.split(/[\s,]/)[0]);
  for (const { id } of renditions("video")) assert.equal(start(`${id}/media.m3u8`), 900_000, id);
  for (const { id } of renditions("audio")) assert.equal(start(`${id}/media.m3u8`), 900_000 - priming * 90_000 / 48_000, id);
});

test("every object is cached, whole packets, of its type", async () => {
  const objects = new Set(await objectsOf(master));
  const segments = [...objects].filter((url) => url.endsWith(".ts"));
  assert.equal(segments.length, 3 * version.renditions.length);
  for (const url of objects) {
    const [first, second] = [await get(url), await get(url)];
    assert.equal(first.status, 200, url);
    assert.match(second.cache, /; hit/, url);
    assert.equal(sha256(first.body), sha256(second.body), url);
    if (!url.endsWith(".ts")) continue;
    assert.equal(first.headers.get("content-type"), "video/mp2t");
    assert.equal(first.body.length % 188, 0, url);
    const part = await get(url, { headers: { Range: "bytes=188-375" } });
    assert.equal(part.status, 206);
    assert.deepEqual(part.body, first.body.subarray(188, 376));
  }
});

test("the declared rates are those of the segments", async () => {
  const text = (await get(master)).body.toString();
  const variants = [...text.matchAll(/#EXT-X-STREAM-INF:BANDWIDTH=(\d+),AVERAGE-BANDWIDTH=(\d+).*\n(.*)\/media\.m3u8/g)];
  assert.equal(variants.length, renditions("video").length);
  const bitsOf = async (id) => (await Promise.all([0, 1, 2].map(async (n) => (await get(at(`${id}/${n}.ts`))).body.length))).reduce((a, b) => a + b) * 8;
  const sound = await bitsOf(renditions("audio")[0].id);
  for (const [, peak, average, id] of variants) {
    const measured = (await bitsOf(id) + sound) / seconds;
    assert.ok(Math.abs(Number(average) / measured - 1) < 0.005, `${id}: ${average} declared, ${measured} measured`);
    assert.ok(Number(peak) >= Number(average));
  }
});

test("I-frame playlists give ranges of the ordinary segments, each a picture by itself", async () => {
  const text = (await get(master)).body.toString();
  const streams = [...text.matchAll(/#EXT-X-I-FRAME-STREAM-INF:.*URI="([^"]+)"/g)].map((found) => found[1]);
  assert.deepEqual([...streams].sort(), renditions("video").map(({ id }) => `${id}/iframes.m3u8`).sort());
  for (const { id } of renditions("video")) {
    const playlist = (await get(at(`${id}/iframes.m3u8`))).body.toString();
    assert.match(playlist, /#EXT-X-I-FRAMES-ONLY/);
    const ranges = [...playlist.matchAll(/#EXT-X-BYTERANGE:(\d+)@(\d+)\n(\d+\.ts)/g)].map(([, bytes, offset, file]) => ({ bytes: Number(bytes), offset: Number(offset), file }));
    assert.equal(ranges.length, Math.ceil(seconds / 2));
    const all = videoFrames(at(`${id}/media.m3u8`));
    for (const [i, { bytes, offset, file }] of ranges.entries()) {
      const { status, body } = await get(at(`${id}/${file}`), { headers: { Range: `bytes=${offset}-${offset + bytes - 1}` } });
      assert.equal(status, 206);
      assert.equal(body.length, bytes);
      assert.deepEqual([...body.subarray(0, 3)], [0x47, 0x40, 0x00], "begins with a PAT");
      const place = join(state, "picture.ts");
      writeFileSync(place, body);
      assert.deepEqual(videoFrames(place), [all[i * 2 * rate]], `${id} picture ${i}`);
    }
  }
});

test("a browser plays it, with hls.js", async () => {
  const page = await servePage(buildPage(join(state, "page")));
  try {
    const query = new URLSearchParams({ src: master, title: "Old film" });
    const seen = await checkPage({ pageUrl: `${page.url}?${query}`, masterUrl: master, webFolder: join(root, "players/web"), screenshot: join(state, "page.png") });
    // hls.js begins its timeline with the first decode time, and B-frames are decoded before they are shown: so it skips
    // the first frames' time of every such transport stream, and says so. Nothing else may be said.
    const ofTheStart = ["mediaError bufferSeekOverHole", "mediaError bufferAppendNoProgress"];
    assert.deepEqual(seen.errors.filter((error) => !ofTheStart.includes(error)), []);
    assert.equal(seen.stalls, 0);
    assert.ok(seen.played_s >= 12, `${seen.played_s} s`);
    assert.ok(seen.decoded_frames > 0);
  } finally {
    await page.close();
  }
});

test("what transport streams do not have is not found", async () => {
  for (const path of ["video/360/init.mp4", "video/360/0.m4s", "video/360/3.ts", "video/999/0.ts", "video/360/00.ts"]) {
    assert.equal((await get(at(path))).status, 404, path);
  }
});
