// What a film has beside picture and sound, as players get it through an edge: subtitles that were delivered with it,
// and small pictures for seeking. ffmpeg reads them, and a browser shows them.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { buildPage } from "../../players/web/build.mjs";
import { chromiumFlags, chromiumPath } from "../../tools/browser_check.mjs";
import { Cluster } from "../../tools/cluster.mjs";
import { servePage } from "../../tools/page_server.mjs";
import { reelway } from "../object_stores/importing.mjs";
import { ffmpeg, makeFilm } from "../support/films.mjs";
import { get, sha256, until } from "../support/playing.mjs";
import { Renting, answerOf } from "../support/renting.mjs";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const state = mkdtempSync(join(tmpdir(), "reelway-subtitles-"));
const pictures = process.env.REELWAY_SCREENSHOTS ?? state;  // where a person can look at them
const seconds = 64;
let cluster, master, url;

const files = {
  "english.vtt": "WEBVTT\n\nSTYLE\n::cue(.loud) { color: yellow }\n\nhello\n00:01.000 --> 00:03.000 line:0 align:start\n<c.loud>Hello</c> &amp; welcome\n\n" +
    "00:05.500 --> 00:06.500\nover the <i>boundary</i>\n\n00:20.000 --> 00:23.000\nto the end\n",
  "deaf.srt": "1\r\n00:00:01,000 --> 00:00:03,000\r\n[music] <i>Hello</i> & welcome\r\n",
  "signs.srt": "1\n00:00:10,000 --> 00:00:12,000\n{\\an8}NO ENTRY\n",
  "hola.srt": "1\n00:00:01,000 --> 00:00:03,000\nHola.\n\n2\n00:00:05,500 --> 00:00:06,500\nsobre el <i>límite</i>\n\n3\n00:00:20,000 --> 00:00:23,000\nfin\n",
};
const manifest = (title, more = "") => `format: 1
title: ${title}
picture: {file: film.mp4}
subtitles:
  - {file: english.vtt, language: en}
  - {file: deaf.srt, language: en, role: sdh}
  - {file: signs.srt, language: en, role: forced}
  - {file: hola.srt, language: es-419}
${more}`;

before(async () => {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(state, name), text);
  makeFilm(state, { seconds, width: 480, height: 202, rate: 25, name: "film.mp4" });
  writeFileSync(join(state, "delivery.yaml"), manifest("film"));
  mkdirSync(join(state, "house"));
  cluster = new Cluster({ bin: process.env.REELWAY_BIN, state: join(state, "house"), edges: 1,
    originSettings: { "ingest.free_bytes_min": "1MiB", "thumbnails.widths": ["240", "320"] } });
  await cluster.start();
  const run = await reelway(cluster, ["ingest", "--manifest", join(state, "delivery.yaml")]);
  assert.equal(run.status, 0, run.out + run.err + cluster.origin.logTail());
  ({ url } = cluster.cli("play-url", "film"));
  master = (await get(url)).body.toString();
});
after(async () => {
  await cluster?.stop();
  rmSync(state, { recursive: true, force: true });
});

const at = (path) => new URL(path, url).href;
const text = async (path) => {
  const answer = await get(at(path));
  assert.equal(answer.status, 200, `${path}: ${answer.error}`);
  return answer.body.toString();
};
const subtitles = () => [...master.matchAll(/^#EXT-X-MEDIA:TYPE=SUBTITLES.*$/gm)].map(([line]) => {
  const value = (name) => new RegExp(`[:,]${name}=(?:"([^"]*)"|([^,]*))`).exec(line)?.slice(1).find((part) => part !== undefined);
  return { name: value("NAME"), language: value("LANGUAGE"), forced: value("FORCED"), characteristics: value("CHARACTERISTICS") ?? "", uri: value("URI") };
});

test("the multivariant playlist says what each track is, and every variant has them", () => {
  const deaf = "public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound";
  assert.deepEqual(subtitles(), [
    { name: "English", language: "en", forced: "NO", characteristics: "", uri: "subtitles/en/media.m3u8" },
    { name: "English (SDH)", language: "en", forced: "NO", characteristics: deaf, uri: "subtitles/en-2/media.m3u8" },
    { name: "English (forced)", language: "en", forced: "YES", characteristics: "", uri: "subtitles/en-3/media.m3u8" },
    { name: "Español (Latinoamérica)", language: "es-419", forced: "NO", characteristics: "", uri: "subtitles/es/media.m3u8" }]);
  for (const [line] of master.matchAll(/^#EXT-X-STREAM-INF.*$/gm)) assert.match(line, /,SUBTITLES="subtitles"/);
});

test("the API lists them", async () => {
  const [version] = (await cluster.api("GET", "/v1/titles/film")).body.versions;
  assert.deepEqual(version.subtitles.map(({ id, name, forced, for_deaf, imsc }) => [id, name, forced, for_deaf, imsc]), [
    ["subtitles/en", "English", false, false, false], ["subtitles/en-2", "English (SDH)", false, true, false],
    ["subtitles/en-3", "English (forced)", true, false, false], ["subtitles/es", "Español (Latinoamérica)", false, false, false]]);
  assert.deepEqual(version.thumbnails.map(({ id }) => id), ["images/240", "images/320"]);
});

test("segments end where the picture's do, and cues over a boundary are in both", async () => {
  const [variant] = /^video\/.*$/m.exec(master);
  const durations = (playlist) => [...playlist.matchAll(/^#EXTINF:(.*),$/gm)].map(([, value]) => value);
  const playlist = await text("subtitles/en/media.m3u8");
  assert.deepEqual(durations(playlist), durations(await text(variant)));
  const first = await text("subtitles/en/0.vtt"), second = await text("subtitles/en/1.vtt");
  assert.match(first, /^WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00:00\.000\n\nSTYLE\n::cue\(\.loud\) \{ color: yellow \}\n/);
  assert.ok(first.includes("\nhello\n00:00:01.000 --> 00:00:03.000 line:0 align:start\n<c.loud>Hello</c> &amp; welcome\n"), first);
  const over = "\n00:00:05.500 --> 00:00:06.500\nover the <i>boundary</i>\n";
  assert.ok(first.includes(over) && second.includes(over), second);
  const answer = await get(at("subtitles/en/0.vtt"));
  assert.match(answer.headers.get("content-type"), /^text\/vtt/);
  assert.equal((await get(at(`subtitles/en/${durations(playlist).length}.vtt`))).status, 404);
  assert.ok((await text("ts/subtitles/en/0.vtt")).includes("MPEGTS:900000,LOCAL:00:00:00.000"));
});

test("whoever chooses full subtitles misses no forced one", async () => {
  for (const track of ["en", "en-2", "en-3"]) {
    assert.match(await text(`subtitles/${track}/1.vtt`), /\n00:00:10\.000 --> 00:00:12\.000 line:0\nNO ENTRY\n/, track);
  }
  assert.doesNotMatch(await text("subtitles/es/1.vtt"), /NO ENTRY/);
});

// It gives what stands in two segments twice. (What has a STYLE block it reads as empty.)
test("ffmpeg reads the playlist as the same cues", () => {
  const srt = ffmpeg(["-i", at("subtitles/es/media.m3u8"), "-f", "srt", "-"], { encoding: "utf8" }).stdout;
  const cues = srt.trim().split(/\n\n/).map((block) => block.split("\n").slice(1).join("\n"));
  assert.equal(`${[...new Set(cues)].map((cue, n) => `${n + 1}\n${cue}`).join("\n\n")}\n`, files["hola.srt"], srt);
});

test("a view of one language has its subtitles only", async () => {
  const renting = new Renting(cluster);
  await renting.offer({ title: "film", name: "english", languages: ["en"] });
  await renting.order("ada", "film", { offer: "english" });
  const narrowed = (await renting.playback("ada", "film")).master_url;
  const playlist = (await get(narrowed)).body.toString();
  assert.ok(playlist.includes('URI="subtitles/en/media.m3u8"') && !playlist.includes("subtitles/es/"), playlist);
  for (const [path, wanted] of [["subtitles/es/0.vtt", "403 language_not_in_offer"], ["subtitles/en/0.vtt", "200"], ["images/320/0.jpg", "200"],
    ["ts/subtitles/es/0.vtt", "403 language_not_in_offer"]]) assert.equal(await answerOf(new URL(path, narrowed).href), wanted, path);
});

test("what came as TTML is there as WebVTT, and as IMSC beside it", async () => {
  writeFileSync(join(state, "styled.ttml"), `<?xml version="1.0" encoding="UTF-8"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:tts="http://www.w3.org/ns/ttml#styling" xml:lang="en">
  <head><layout><region xml:id="top" tts:origin="10% 5%" tts:extent="80% 15%" tts:displayAlign="before"/></layout></head>
  <body><div><p begin="00:00:05.500" end="00:00:06.500" region="top">over <span tts:fontStyle="italic">the boundary</span></p></div></body>
</tt>`);
  makeFilm(state, { seconds: 14, width: 320, height: 180, rate: 25, name: "short.mp4" });
  writeFileSync(join(state, "ttml.yaml"), "format: 1\ntitle: styled\npicture: {file: short.mp4}\nsubtitles:\n  - {file: styled.ttml, language: en}\n");
  const run = await reelway(cluster, ["ingest", "--manifest", join(state, "ttml.yaml")]);
  assert.equal(run.status, 0, run.out + run.err + cluster.origin.logTail());
  const styled = cluster.cli("play-url", "styled").url;
  const fetched = async (path) => (await get(new URL(path, styled).href)).body;
  const playlist = (await get(styled)).body.toString();
  assert.match(playlist, /GROUP-ID="subtitles-imsc",NAME="English".*URI="subtitles\/en\/imsc\.m3u8"/);
  assert.match(playlist, /CODECS="[^"]*,stpp\.ttml\.im1t".*SUBTITLES="subtitles-imsc"/);
  for (const n of [0, 1]) {
    assert.match((await fetched(`subtitles/en/${n}.vtt`)).toString(), /00:00:05\.500 --> 00:00:06\.500 line:0\nover <i>the boundary<\/i>\n/);
    assert.match((await fetched(`subtitles/en/${n}.m4s`)).toString(), /<p begin="00:00:05\.500" end="00:00:06\.500" region="top">over/);
  }
  assert.doesNotMatch((await fetched("subtitles/en/2.m4s")).toString(), /<p /);
  writeFileSync(join(state, "imsc.mp4"), Buffer.concat([await fetched("subtitles/en/init.mp4"), ...await Promise.all([0, 1, 2].map((n) => fetched(`subtitles/en/${n}.m4s`)))]));
  const packets = spawnSync("ffprobe", ["-v", "error", "-show_entries", "packet=pts_time", "-of", "csv=p=0", join(state, "imsc.mp4")], { encoding: "utf8" });
  assert.equal(packets.stdout.trim(), "0.000000\n6.000000\n12.000000", packets.stderr);
  const other = await get(at("subtitles/en/imsc.m3u8"));
  assert.equal(other.status, 404);  // of the film whose files were no TTML
});

// Roku's format, read by nothing of ours.
function readBif(file) {
  assert.equal(file.subarray(0, 8).toString("latin1"), "\x89BIF\r\n\x1a\n");
  const [count, multiplier] = [file.readUInt32LE(12), file.readUInt32LE(16)];
  return Array.from({ length: count }, (_, n) => ({ ms: file.readUInt32LE(64 + 8 * n) * multiplier,
    jpeg: file.subarray(file.readUInt32LE(68 + 8 * n), file.readUInt32LE(76 + 8 * n)) }));
}
const sizeOf = (jpeg) => {
  const probe = ffmpeg(["-f", "mjpeg", "-i", "-", "-f", "rawvideo", "-pix_fmt", "gray", "-"], { input: jpeg }).stdout;
  return probe.length;
};

test("small pictures: playlist, sheets, cues and BIF are of one film", async () => {
  const streams = [...master.matchAll(/^#EXT-X-IMAGE-STREAM-INF:.*RESOLUTION=(\d+x\d+),CODECS="jpeg",URI="([^"]*)"$/gm)].map(([, size, uri]) => [size, uri]);
  assert.deepEqual(streams, [["240x102", "images/240/media.m3u8"], ["320x136", "images/320/media.m3u8"]], master);
  const playlist = await text("images/320/media.m3u8");
  assert.match(playlist, /#EXT-X-IMAGES-ONLY\n#EXT-X-TILES:RESOLUTION=320x136,LAYOUT=5x5,DURATION=10\.000\n#EXTINF:64\.000,\n0\.jpg\n#EXT-X-ENDLIST/);
  const cues = await text("images/320/thumbnails.vtt");
  assert.equal([...cues.matchAll(/ --> /g)].length, 7);
  assert.match(cues, /00:00:50\.000 --> 00:01:00\.000\n0\.jpg#xywh=0,136,320,136\n/);
  const sheet = await get(at("images/320/0.jpg"));
  assert.equal(sheet.headers.get("content-type"), "image/jpeg");
  assert.ok(sheet.headers.get("content-digest")?.startsWith("crc32c=:") || sheet.status === 200);
  assert.equal(sizeOf(sheet.body), 1600 * 680);
  writeFileSync(join(pictures, "sheet.jpg"), sheet.body);
  const bif = readBif((await get(at("images/240/index.bif"))).body);
  assert.deepEqual(bif.map(({ ms }) => ms), [0, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000]);
  for (const { jpeg } of bif) assert.equal(sizeOf(jpeg), 240 * 102);
  assert.equal(new Set(bif.map(({ jpeg }) => sha256(jpeg))).size, 7);
  assert.equal((await get(at("images/320/1.jpg"))).status, 404);
  assert.equal((await get(at("ts/images/320/0.jpg"))).status, 404);
});

test("a browser shows a cue at its time, the menu, and a picture while one seeks", async (context) => {
  const path = chromiumPath();
  if (!path) return context.skip("no Chromium on this machine");
  const { chromium } = createRequire(join(root, "players/web/package.json"))("playwright-core");
  const page_server = await servePage(buildPage(join(state, "page")));
  const browser = await chromium.launch({ executablePath: path, headless: true, args: chromiumFlags });
  try {
    const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: "dark" })).newPage();
    const faults = [];
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("console", (message) => { if (message.type() === "error") faults.push(message.text()); });
    await page.goto(`${page_server.url}?${new URLSearchParams({ src: url, title: "A film with subtitles" })}`);
    await until("it plays", () => page.evaluate(() => window.reelway.stats.playing && document.querySelector("#video").currentTime > 0.2));
    const shown = () => page.evaluate(() => [...document.querySelector("#video").textTracks].filter((track) => track.mode === "showing")
      .flatMap((track) => [...track.activeCues ?? []].map((cue) => cue.text)));
    // Nothing was chosen: only what has to be read whatever is heard.
    await page.evaluate(() => { const video = document.querySelector("#video"); video.pause(); video.currentTime = 10.5; });
    await until("the sign is shown", async () => (await shown()).includes("NO ENTRY"));
    await page.click("#texts");
    await page.screenshot({ path: join(pictures, "menu.png") });
    assert.deepEqual(await page.locator("#texts-menu button span:first-of-type").allInnerTexts(), ["Off", "English", "English (SDH)", "Español (Latinoamérica)"]);
    await page.locator("#texts-menu button", { hasText: /^English\s*en$/ }).first().click();
    for (const [time, words] of [[0.9, null], [1.1, "Hello"], [2.9, "Hello"], [3.1, null], [5.45, null], [5.6, "boundary"], [6.4, "boundary"], [6.6, null], [22.9, "to the end"]]) {
      await page.evaluate((to) => { document.querySelector("#video").currentTime = to; }, time);
      await until(`at ${time} s there is ${words}`, async () => {
        const cues = await shown();
        return words ? cues.length === 1 && cues[0].includes(words) : cues.length === 0;
      });
    }
    await page.screenshot({ path: join(pictures, "cue.png") });
    const bar = await page.locator("#seek").boundingBox();
    await page.mouse.move(bar.x + bar.width * 0.7, bar.y + bar.height / 2);
    await page.locator("#seek-picture:not([hidden])").waitFor();
    await page.waitForLoadState("networkidle");
    await page.screenshot({ path: join(pictures, "seek.png") });
    assert.match(await page.locator("#seek-picture").evaluate((node) => node.style.backgroundImage), /images\/240\/0\.jpg/);
    assert.deepEqual(faults, []);
  } finally {
    await browser.close();
    await page_server.close();
  }
});

test("damage to what is stored is found, and no wrong byte is sent", async () => {
  const file = join(state, "house", "origin", "titles", "film", "v1", "images-320.bif");
  const bytes = readFileSync(file);
  bytes[bytes.length - 1000] ^= 0xff;
  writeFileSync(file, bytes);
  const run = await reelway(cluster, ["scrub", "film"]);
  assert.equal(JSON.parse(run.out).found, 1, run.out + run.err);
  const answer = await get(at("images/320/index.bif"));  // nobody has asked for it before
  assert.ok(answer.status >= 500, `${answer.status}`);
});
