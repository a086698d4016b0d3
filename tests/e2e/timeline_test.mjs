// Picture and sound stay together from the source to the player, in every packaging: a picture flashes and a tone begins
// at the same moment, and whoever plays the film sees and hears them as far apart as they are in the stored film.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Cluster } from "../../tools/cluster.mjs";
import { ffmpeg } from "../support/films.mjs";

const state = mkdtempSync(join(tmpdir(), "reelway-timeline-"));
const seconds = 8, flash = 4.2;  // within a segment, and on a picture of each rate below
const sample = 1 / 48000, tick = 1 / 90000;
const halfPicture = 0.02;
const printed = 1e-5;  // six digits are printed of a time
const tsOrigin = 10;   // seconds at which a transport stream has the film's beginning
let cluster;

before(async () => {
  cluster = await new Cluster({ bin: process.env.REELWAY_BIN, state, edges: 1, originSettings: { "transcode.loudness": "off" } }).start();
});

after(async () => {
  await cluster?.stop();
  rmSync(state, { recursive: true, force: true });
});

const picture = (rate) => ["-f", "lavfi", "-i", `color=c=black:s=320x180:r=${rate}:d=${seconds},drawbox=t=fill:c=white:enable='gte(t,${flash}-0.0001)'`];
const sound = ["-f", "lavfi", "-i", `aevalsrc='if(gte(t,${flash}),0.5*sin(2*PI*1000*t),0)':s=48000:d=${seconds}`];
const h264 = ["-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p"];

function made(name, ...args) {
  const file = join(state, name);
  ffmpeg([...args, file]);
  return file;
}

const films = {
  "B-frames, an edit list for each track, moov at the end": () => made("edits.mp4", ...picture(25), ...sound, ...h264, "-bf", "3", "-c:a", "aac"),
  "negative composition offsets": () => made("negative.mp4", ...picture(25), ...sound, ...h264, "-bf", "2", "-c:a", "aac", "-movflags", "negative_cts_offsets+faststart"),
  "a variable frame rate": () => made("vfr.mp4", ...picture(50), ...sound, "-vf", "select='not(mod(n,2))+lt(n,60)'", "-fps_mode", "vfr", ...h264, "-c:a", "aac"),
  "sound that begins late": () => {
    const late = made("late-sound.wav", "-f", "lavfi", "-i", `aevalsrc='if(gte(t,${flash - 0.5}),0.5*sin(2*PI*1000*t),0)':s=48000:d=${seconds - 0.5}`);
    return made("late.mp4", ...picture(25), "-itsoffset", "0.5", "-i", late, ...h264, "-c:a", "aac");
  },
  "times that begin below zero": () => made("below.mkv", ...picture(25), ...sound, ...h264, "-c:a", "aac", "-output_ts_offset", "-1", "-avoid_negative_ts", "disabled"),
};

// Seconds by which the tone comes after the flash.
function distance(input, { maps = ["-map", "0:v:0", "-map", "0:a:0"], origin = 0, isSource = false } = {}) {
  const run = spawnSync("ffmpeg", ["-hide_banner", "-nostdin", "-copyts", ...input, ...maps,
    "-vf", `setpts=PTS-${origin}/TB,blackdetect=d=0.5:pix_th=0.2`, "-af", `asetpts=PTS-${origin}/TB,silencedetect=n=-20dB:d=0.5`, "-f", "null", "-"], { encoding: "utf8" });
  assert.equal(run.status, 0, run.stderr);
  if (!isSource) assert.doesNotMatch(run.stderr, /error|invalid|corrupt|non.monoton/i);
  const seen = Number(/black_end:([\d.]+)/.exec(run.stderr)?.[1]);
  const heard = Number(/silence_end: ([\d.]+)/.exec(run.stderr)?.[1]);
  assert.ok(seen > 0 && heard > 0, run.stderr);
  return heard - seen;
}

for (const [number, [name, make]] of Object.entries(films).entries()) {
  test(`${name}: together in the stored film, and as far apart in every packaging`, () => {
    const title = `film-${number}`;
    const source = make();
    cluster.cli("ingest", source, "--title", title);
    const { versions: [version] } = cluster.cli("titles", title);
    const folder = join(state, "origin", "titles", title, version.version);
    const file = (kind) => join(folder, `${version.renditions.find((one) => one.kind === kind).id.replace("/", "-")}.mp4`);
    const stored = distance(["-i", file("video"), "-i", file("audio")], { maps: ["-map", "0:v:0", "-map", "1:a:0"] });
    // Pictures of a rate that varies, or that begin between two of the film's, are moved to the nearest.
    const original = distance(["-i", source], { isSource: true });
    assert.ok(Math.abs(stored - original) <= halfPicture + printed, `stored: ${stored} s apart, the source ${original} s`);
    const master = cluster.cli("play-url", title).url;
    for (const packaging of ["master.m3u8", "ts/master.m3u8", "manifest.mpd"]) {
      const played = distance(["-i", new URL(packaging, master).href], { origin: packaging.startsWith("ts/") ? tsOrigin : 0 });
      assert.ok(Math.abs(played - stored) <= sample + tick + printed, `${packaging}: ${played} s apart, stored ${stored} s`);
    }
  });
}
