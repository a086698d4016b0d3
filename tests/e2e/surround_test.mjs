// A film in 5.1 goes in: viewers whose players know E-AC-3 hear each channel where it belongs, all others hear stereo.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { checkPage } from "../../tools/browser_check.mjs";
import { Cluster } from "../../tools/cluster.mjs";
import { servePage } from "../../tools/page_server.mjs";
import { buildPage } from "../../players/web/build.mjs";
import { ffmpeg } from "../support/films.mjs";
import { get } from "../support/playing.mjs";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const state = mkdtempSync(join(tmpdir(), "reelway-surround-"));
const seconds = 16;
const rate = 48_000;
const beginS = 1;  // when the tones begin
const tones = [440, 660, 880, 60, 1320, 1760];  // of L R C LFE Ls Rs
const places = ["left", "right", "centre", "bass", "left surround", "right surround"];
let cluster, master, version;

before(async () => {
  cluster = await new Cluster({ bin: process.env.REELWAY_BIN, state, edges: 1 }).start();
  const film = join(state, "film.mkv");
  const values = tones.map((tone) => `0.12*sin(2*PI*${tone}*t)*gte(t\\,${beginS})`).join("|");
  ffmpeg([
    "-f", "lavfi", "-i", `testsrc2=s=320x180:r=25:d=${seconds}`, "-f", "lavfi", "-i", `aevalsrc=${values}:c=5.1:s=${rate}:d=${seconds}`,
    "-f", "lavfi", "-i", `sine=f=500:r=${rate}:d=${seconds},volume=-3dB,aformat=channel_layouts=stereo`, "-map", "0:v", "-map", "1:a", "-map", "2:a",
    "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "flac",
    "-metadata:s:a:0", "language=eng", "-metadata:s:a:0", "title=English", "-disposition:a:0", "default",
    "-metadata:s:a:1", "language=fra", "-metadata:s:a:1", "title=Français", film,
  ]);
  version = cluster.cli("ingest", film, "--title", "loud-film");
  master = cluster.cli("play-url", "loud-film").url;
});

after(async () => {
  await cluster?.stop();
  rmSync(state, { recursive: true, force: true });
});

const at = (path) => new URL(path, master).href;

// The samples of one track as a player decodes them, a channel at a time. Not a word may be said.
function decoded(track, channels) {
  const run = spawnSync("ffmpeg", ["-v", "warning", "-nostdin", "-i", at(`${track}/media.m3u8`), "-c:a", "pcm_f32le", "-f", "f32le", "-"], { maxBuffer: 1 << 28 });
  assert.equal(run.status, 0, run.stderr.toString());
  assert.equal(run.stderr.toString(), "", track);
  const all = new Float32Array(run.stdout.buffer.slice(run.stdout.byteOffset, run.stdout.byteOffset + run.stdout.length));
  return Array.from({ length: channels }, (_, channel) => all.filter((_sample, i) => i % channels === channel));
}

// How much of a tone the second half of some sound holds: its amplitude (Goertzel).
function amplitude(samples, tone) {
  const half = samples.subarray(samples.length >> 1, (samples.length >> 1) + 4 * rate);
  const turn = 2 * Math.cos((2 * Math.PI * tone) / rate);
  let [last, before_] = [0, 0];
  for (const sample of half) [last, before_] = [sample + turn * last - before_, last];
  return (2 * Math.sqrt(last * last + before_ * before_ - turn * last * before_)) / half.length;
}

const onset = (samples) => samples.findIndex((sample) => Math.abs(sample) > 0.02);

test("a browser without E-AC-3 plays the film in stereo", async () => {
  const webFolder = join(root, "players/web");
  const page = await servePage(buildPage(join(state, "page")));
  try {
    const query = new URLSearchParams({ src: master, title: "Loud film" });
    const seen = await checkPage({ pageUrl: `${page.url}?${query}`, masterUrl: master, webFolder, screenshot: join(state, "page.png") });
    assert.deepEqual(seen.errors, []);
    assert.equal(seen.stalls, 0);
    assert.ok(seen.played_s >= 12, `${seen.played_s} s`);
    assert.ok(seen.decoded_frames > 0);
  } finally {
    await page.close();
  }
  const would = (path) => cluster.cli("explain", at(path)).edges[0].would;
  assert.match(would("audio/en-aac/0.m4s"), /^hit/);
  assert.doesNotMatch(would("audio/en-eac3/0.m4s"), /^hit/);
});

test("the title shows its sound", () => {
  const sounds = version.renditions.filter((one) => one.kind === "audio");
  assert.deepEqual(sounds.map((one) => [one.id, one.codecs, one.channels, one.language, one.name]), [
    ["audio/en-aac", "mp4a.40.2", 2, "en", "English"], ["audio/fr-aac", "mp4a.40.2", 2, "fr", "Français"], ["audio/en-eac3", "ec-3", 6, "en", "English"]]);
  for (const { id, loudness } of sounds) {
    assert.equal(loudness.end, "reached", id);
    assert.ok(Math.abs(loudness.measured_lufs + loudness.gain_db + 24) < 0.1, `${id} ${JSON.stringify(loudness)}`);
  }
  const shown = spawnSync(join(cluster.bin, "reelway"), ["titles", "loud-film"], { encoding: "utf8", env: { ...process.env, REELWAY_CONFIG: cluster.cliConfig } });
  assert.match(shown.stdout, /audio\/en-eac3 +5\.1 +ec-3 .*-24\.0 LUFS/);
});

test("either group offers both languages; stereo stands first", async () => {
  const text = (await get(master)).body.toString();
  const media = (group) => [...text.matchAll(new RegExp(`#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="${group}",NAME="([^"]+)",LANGUAGE="([^"]+)",DEFAULT=(\\w+),.*CHANNELS="(\\d+)",.*URI="([^"]+)"`, "g"))].map((found) => found.slice(1));
  assert.deepEqual(media("audio-mp4a.40.2"), [["English", "en", "YES", "2", "audio/en-aac/media.m3u8"], ["Français", "fr", "NO", "2", "audio/fr-aac/media.m3u8"]]);
  assert.deepEqual(media("audio-ec-3"), [["English", "en", "YES", "6", "audio/en-eac3/media.m3u8"], ["Français", "fr", "NO", "2", "audio/fr-aac/media.m3u8"]]);
  const variants = [...text.matchAll(/#EXT-X-STREAM-INF:BANDWIDTH=(\d+),.*CODECS="avc1\.[0-9a-f]+,([^"]+)".*AUDIO="([^"]+)"/g)].map((found) => found.slice(1));
  const videos = variants.length / 2;
  assert.deepEqual(variants.map(([, codecs, group]) => [codecs, group]), [
    ...Array(videos).fill(["mp4a.40.2", "audio-mp4a.40.2"]), ...Array(videos).fill(["ec-3,mp4a.40.2", "audio-ec-3"])]);
  // The same pictures with heavier sound.
  for (let i = 0; i < videos; ++i) assert.ok(Number(variants[videos + i][0]) - Number(variants[i][0]) > 100_000, text);
});

test("in 5.1 each channel is where it belongs, and in time", () => {
  const probed = ffmpegProbe(at("audio/en-eac3/media.m3u8"));
  assert.equal(probed.channels, 6);
  assert.equal(probed.codec_name, "eac3");
  const surround = decoded("audio/en-eac3", 6);
  const stereo = decoded("audio/en-aac", 2);
  const loud = 0.12 * 10 ** (version.renditions.find((one) => one.id === "audio/en-eac3").loudness.gain_db / 20);
  for (const [channel, samples] of surround.entries()) {
    for (const [other, tone] of tones.entries()) {
      const found = amplitude(samples, tone);
      if (other === channel) assert.ok(Math.abs(found / loud - 1) < 0.12, `${places[channel]}: ${found} of ${loud}`);
      else assert.ok(found < loud / 20, `${places[other]} in ${places[channel]}: ${found}`);
    }
  }
  // The bass channel is in no stereo; the centre is on both sides, 3 dB lower.
  const gain = 10 ** (version.renditions.find((one) => one.id === "audio/en-aac").loudness.gain_db / 20);
  for (const side of stereo) {
    assert.ok(amplitude(side, tones[3]) < 0.12 * gain / 20);
    assert.ok(Math.abs(amplitude(side, tones[2]) / (0.12 * gain * Math.SQRT1_2) - 1) < 0.1);
  }
  // FFmpeg heeds the edit list of a fragmented track for AAC only, so for E-AC-3 it plays the coder's delay of 256 too.
  const late = onset(surround[0]) - onset(stereo[0]);
  assert.ok(Math.abs(onset(stereo[0]) - beginS * rate) < 200, `stereo begins at ${onset(stereo[0])}`);
  assert.ok(late >= -64 && late <= 256 + 64, `surround is ${late} samples late`);
});

test("playlists of all tracks span the film and are cut alike", async () => {
  const durations = async (track) => [...(await get(at(`${track}/media.m3u8`))).body.toString().matchAll(/#EXTINF:([\d.]+)/g)].map((found) => Number(found[1]));
  const picture = await durations("video/180");
  for (const track of ["audio/en-aac", "audio/fr-aac", "audio/en-eac3"]) {
    const sound = await durations(track);
    assert.equal(sound.length, picture.length, track);
    assert.ok(Math.abs(sound.reduce((a, b) => a + b) - picture.reduce((a, b) => a + b)) < 1e-5, track);
    for (const [i, one] of sound.entries()) assert.ok(Math.abs(one - picture[i]) <= 2 * 1536 / rate, `${track} segment ${i}: ${one} s`);
  }
});

function ffmpegProbe(url) {
  const run = spawnSync("ffprobe", ["-v", "error", "-show_streams", "-of", "json", url], { encoding: "utf8" });
  assert.equal(run.stderr, "");
  return JSON.parse(run.stdout).streams[0];
}
