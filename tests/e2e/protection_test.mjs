// Protected titles over a real cluster: what is handed out, to whom the keys go, and that players play it.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Cluster } from "../../tools/cluster.mjs";
import { servePage } from "../../tools/page_server.mjs";
import { writeClearKeyPage } from "../support/clearkey_page.mjs";
import { makeFilm, videoFrames } from "../support/films.mjs";
import { get } from "../support/playing.mjs";
import { Renting, answerOf } from "../support/renting.mjs";

const chromiumPaths = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const chromiumFlags = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--autoplay-policy=no-user-gesture-required"];
const playLimitMs = 60_000;
const playedEnoughS = 5;

const state = mkdtempSync(join(tmpdir(), "reelway-protection-"));
let cluster, renting, master;

before(async () => {
  cluster = await new Cluster({ bin: process.env.REELWAY_BIN, state, edges: 1, originSettings: { "protection.default": "protected" } }).start();
  cluster.cli("ingest", makeFilm(state, { seconds: 10, width: 1280, height: 720 }), "--title", "film");
  renting = new Renting(cluster);
  await renting.order("ada", "film");
  master = (await renting.playback("ada", "film")).master_url;
});

after(async () => {
  await cluster?.stop();
  rmSync(state, { recursive: true, force: true });
});

const at = (path) => master.replace("cbcs/master.m3u8", path);
const text = async (url) => (await get(url)).body.toString();
const videoFolder = async (packaging) => /^(video\/\d+)\//m.exec(await text(at(`${packaging}/master.m3u8`)))[1];

// init.mp4 and all segments of a track, as one file.
async function joined(packaging, track) {
  const playlist = at(`${packaging}/${track}/media.m3u8`);
  const files = ["init.mp4", ...(await text(playlist)).split("\n").filter((line) => line && !line.startsWith("#"))];
  const parts = await Promise.all(files.map(async (file) => (await get(new URL(file, playlist).href)).body));
  return Buffer.concat(parts);
}

// The frames of the track file itself, which no packaging may change.
function framesOfMezzanine(track) {
  const folder = join(state, "origin/titles/film/v1");
  return videoFrames(join(folder, `${track.replace("/", "-")}.mp4`));
}

test("a play URL of a protected version names the protected packaging; the clear ones are not there", async () => {
  assert.match(master, /\/film\/v1\/cbcs\/master\.m3u8$/);
  assert.equal(await answerOf(master), "200");
  for (const path of ["master.m3u8", "video/720/media.m3u8", "video/720/init.mp4", "video/720/0.m4s", "ts/master.m3u8", "video/720/key"]) {
    assert.match(await answerOf(at(path)), /^404 (packaging_not_offered|http_not_found)$/, path);
  }
  assert.equal(await answerOf(at("video/720/0.m4s")), "404 packaging_not_offered");
  for (const packaging of ["aes", "cenc"]) {
    const other = await renting.playback("ada", "film", "tv", { packaging });
    assert.match(other.master_url, new RegExp(`/${packaging}/master\\.m3u8$`));
    assert.equal(await answerOf(other.master_url), "200");
  }
  const clear = await cluster.api("POST", "/v1/playback", { account: "ada", title: "film", device: "tv", packaging: "cmaf" });
  assert.equal(`${clear.status} ${clear.body.error.code}`, "404 packaging_not_offered");
});

test("keys: one for sound and one for each class of pictures, never stored, to who rented only", async () => {
  const key = await get(at("aes/video/720/key"));
  assert.equal(key.status, 200);
  assert.equal(key.body.length, 16);
  for (const path of ["aes/video/720/key", "cenc/video/720/key", "cbcs/video/720/clearkey.json"]) {
    for (let round = 0; round < 2; ++round) {
      const answer = await get(at(path));
      assert.equal(answer.status, 200, path);
      assert.match(answer.headers.get("cache-control"), /no-store/, path);
      assert.doesNotMatch(answer.cache ?? "", /; hit|stored/, `${path}: ${answer.cache}`);
    }
  }
  const licence = JSON.parse(await text(at("cbcs/video/720/clearkey.json")));
  assert.equal(licence.keys.length, 1);
  assert.ok(Buffer.from(licence.keys[0].k, "base64url").equals(key.body), "a version has one key for these pictures");
  assert.ok(!(await get(at("aes/audio/en-aac/key"))).body.equals(key.body));
  const sd = (await text(at("aes/master.m3u8"))).match(/video\/360\//) ? "aes/video/360/key" : null;
  if (sd) assert.ok(!(await get(at(sd))).body.equals(key.body), "SD pictures have another key");

  await renting.offer({ name: "sd", max_height: 480 });
  await renting.order("thrifty", "film", { offer: "sd" });
  const thrifty = (await renting.playback("thrifty", "film")).master_url;
  for (const path of ["cbcs/video/720/clearkey.json", "cbcs/video/720/key", "aes/video/720/key", "cenc/video/720/0.m4s"]) {
    assert.equal(await answerOf(thrifty.replace("cbcs/master.m3u8", path)), "403 rendition_not_in_offer", path);
  }
  assert.doesNotMatch(await text(thrifty), /video\/720/);
  const { entitlement } = await renting.order("brief", "film");
  const brief = (await renting.playback("brief", "film")).master_url.replace("cbcs/master.m3u8", "aes/video/720/key");
  assert.equal(await answerOf(brief), "200");
  await renting.revoke(entitlement);
  for (const end = Date.now() + 10_000; Date.now() < end && (await answerOf(brief)) === "200";) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(await answerOf(brief), "403 entitlement_revoked");
  assert.match(await answerOf(at("aes/video/720/key").replace(/\/t\/[^/]+/, "/t/none")), /^40[13]/);
});

test("no log, metric or store of an edge holds a key", async () => {
  const secrets = [];
  for (const path of ["aes/video/720/key", "aes/audio/en-aac/key"]) {
    const { body } = await get(at(path));
    secrets.push(body, Buffer.from(body.toString("hex")), Buffer.from(body.toString("base64url")));
  }
  const files = (folder) => readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory() ? files(join(folder, entry.name)) : entry.isFile() ? [join(folder, entry.name)] : []);
  // The control store as well: keys are sealed there.
  const places = [...files(join(state, "edge-1")), ...files(join(state, "origin/store")), ...files(state).filter((file) => file.endsWith(".log"))];
  assert.ok(places.length > 4);
  for (const file of places) {
    const bytes = readFileSync(file);
    for (const secret of secrets) assert.ok(!bytes.includes(secret), file);
  }
});

test("FFmpeg plays AES-128 from the edge: the pictures are the film's", async () => {
  const track = await videoFolder("aes");
  const playlist = await text(at(`aes/${track}/media.m3u8`));
  assert.match(playlist, /^#EXT-X-KEY:METHOD=AES-128,URI="key",IV=0x[0-9a-f]{32}$/m);
  assert.match(await text(at("aes/master.m3u8")), /^#EXT-X-SESSION-KEY:METHOD=AES-128,URI="video\/\d+\/key",IV=0x[0-9a-f]{32}$/m);
  assert.deepEqual(videoFrames(at(`aes/${track}/media.m3u8`)), framesOfMezzanine(track));
});

for (const packaging of ["cenc", "cbcs"]) {
  test(`FFmpeg decrypts ${packaging} with the key: the pictures are the film's`, async () => {
    const track = await videoFolder(packaging);
    const key = (await get(at(`${packaging}/${track}/key`))).body.toString("hex");
    const input = await joined(packaging, track);
    const frames = execFileSync("ffmpeg", ["-v", "error", "-decryption_key", key, "-i", "pipe:", "-f", "framemd5", "-"], { input, maxBuffer: 1 << 28, encoding: "utf8" });
    const sums = frames.split("\n").filter((line) => line && !line.startsWith("#")).map((line) => line.split(",").at(-1).trim());
    assert.deepEqual(sums, framesOfMezzanine(track));
  });
}

async function watch(browser, url) {
  const page = await (await browser.newContext()).newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (message) => { if (message.type() === "error") errors.push(message.text()); });
  await page.goto(url);
  const look = () => page.evaluate(() => {
    const video = document.querySelector("#video");
    const quality = video.getVideoPlaybackQuality();
    return { seconds: video.currentTime, frames: quality.totalVideoFrames, width: video.videoWidth, keys: video.mediaKeys !== null, audio: video.webkitAudioDecodedByteCount, errors: window.played.errors };
  });
  let seen = await look();
  for (const end = Date.now() + playLimitMs; seen.seconds < playedEnoughS && Date.now() < end; seen = await look()) await page.waitForTimeout(200);
  await page.close();
  return { ...seen, errors: [...errors, ...seen.errors] };
}

test("Chromium plays cbcs and cenc with ClearKey, by hls.js and by Shaka, and AES-128 by both", async () => {
  const executablePath = process.env.REELWAY_CHROMIUM ?? chromiumPaths.find((path) => existsSync(path));
  const { chromium } = createRequire(import.meta.url)("playwright-core");
  writeClearKeyPage(join(state, "page"));
  const server = await servePage(join(state, "page"));
  const browser = await chromium.launch({ executablePath, headless: true, args: chromiumFlags });
  try {
    for (const packaging of ["cbcs", "cenc", "aes"]) {
      for (const player of ["hls", "shaka"]) {
        const url = `${server.url}?player=${player}&url=${encodeURIComponent(at(`${packaging}/master.m3u8`))}`;
        const seen = await watch(browser, url);
        const what = `${packaging} by ${player}: ${JSON.stringify(seen)}`;
        assert.deepEqual(seen.errors, [], what);
        assert.ok(seen.seconds >= playedEnoughS && seen.frames > 60 && seen.width > 0 && seen.audio > 0, what);
        assert.equal(seen.keys, packaging !== "aes", what);
      }
    }
  } finally {
    await browser.close();
    await server.close();
  }
});

test("a version is protected, or handed out in the clear again, by one command", async () => {
  assert.deepEqual(cluster.cli("protect", "film", "--clear"), { title: "film", version: "v1", protection: "clear", changed: true });
  assert.equal(cluster.cli("protect", "film", "v1", "--clear").changed, false);
  const { master_url } = await renting.playback("ada", "film");
  assert.match(master_url, /\/film\/v1\/master\.m3u8$/);
  assert.equal(await answerOf(master_url), "200");
  assert.equal(await answerOf(at("cbcs/video/720/key")), "404 packaging_not_offered");
  assert.equal(cluster.cli("protect", "film").changed, true);
  assert.equal(await answerOf(at("cbcs/video/720/key")), "200");
});
