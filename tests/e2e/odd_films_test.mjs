// Films as vendors send them: odd but right ones are published whole, faulty and hostile ones are refused with words that a
// content editor understands. Nothing hangs, no file but the film is read, nothing is asked of a network.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { Cluster } from "../../tools/cluster.mjs";
import { ffmpeg } from "../support/films.mjs";

const state = mkdtempSync(join(tmpdir(), "reelway-odd-"));
const seconds = 4;
let cluster, network, asked = 0;

before(async () => {
  cluster = new Cluster({ bin: process.env.REELWAY_BIN, state, edges: 0, originSettings: { "log.level": "warn" } });
  await cluster.startOrigin();
  cluster.writeCliConfig();
  network = http.createServer((_, answer) => { ++asked; answer.end("x"); });
  await new Promise((resolve) => network.listen(0, "127.0.0.1", resolve));
});

after(async () => {
  await cluster?.stop();
  network?.close();
  rmSync(state, { recursive: true, force: true });
});

const picture = (size = "320x180", rate = 25) => ["-f", "lavfi", "-i", `testsrc2=s=${size}:r=${rate}:d=${seconds}`];
const sound = (layout = "stereo") => ["-f", "lavfi", "-i", `sine=f=440:d=${seconds},aformat=channel_layouts=${layout}`];
const h264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"];
const aac = ["-c:a", "aac"];

function made(name, ...args) {
  const file = join(state, name);
  ffmpeg([...args, file]);
  return file;
}

function ingest(file, title) {
  try {
    return { version: cluster.cli("ingest", file, "--title", title) };
  } catch (error) {
    assert.ok(error.answer, error.message);
    assert.ok(error.answer.remedy.length > 10, JSON.stringify(error.answer));
    assert.ok(error.answer.message.length > 10, JSON.stringify(error.answer));
    return { error: error.answer };
  }
}

// What must hold of the published version: `height` of the highest rendition, its duration, the number of audio tracks.
function published(title, file, { height, width, duration = seconds, audio = 1, frames } = {}) {
  const { version, error } = ingest(file, title);
  assert.equal(error, undefined, JSON.stringify(error));
  const video = version.renditions.filter((one) => one.kind === "video");
  assert.ok(video.length >= 1);
  if (height) assert.equal(video[0].height, height);
  if (width) assert.equal(video[0].width, width);
  if (frames) assert.equal(video[0].frames, frames);
  assert.ok(Math.abs(version.duration_ms - duration * 1000) <= 1500 / 25 + 200, `${version.duration_ms} ms`);
  assert.equal(version.renditions.filter((one) => one.kind === "audio").length, audio);
}

const odd = {
  "one frame a second": () => [made("1fps.mp4", ...picture("320x180", 1), ...sound(), ...h264, ...aac), {}],
  "120 frames a second": () => [made("120fps.mp4", ...picture("320x180", 120), ...sound(), ...h264, ...aac), {}],
  "rotated by a note in the file": () => {
    const upright = made("upright.mp4", ...picture(), ...sound(), ...h264, ...aac);
    return [made("rotated.mp4", "-i", upright, "-c", "copy", "-metadata:s:v:0", "rotate=90"), { width: 180, height: 320 }];
  },
  "anamorphic": () => [made("anamorphic.mp4", ...picture("720x576"), ...sound(), ...h264, "-vf", "setsar=64/45", ...aac), {}],
  "odd width and height": () => [made("odd.mkv", ...picture("321x181"), ...sound(), "-c:v", "ffv1", "-c:a", "flac"), { width: 320, height: 180 }],
  "10 bits": () => [made("10bit.mkv", ...picture(), ...sound(), "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", ...aac), {}],
  "HDR (PQ, BT.2020)": () => [made("hdr.mkv", ...picture(), ...sound(), "-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", "-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc", "-x265-params", "log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc", ...aac), {}],
  "variable frame rate": () => [made("vfr.mp4", ...picture(), ...sound(), "-vf", "select='not(mod(n,3))+lt(n,40)'", "-fps_mode", "vfr", ...h264, ...aac), {}],
  "interlaced": () => [made("interlaced.mpg", ...picture("720x576"), ...sound(), "-vf", "tinterlace=4,setsar=16/15", "-c:v", "mpeg2video", "-flags", "+ilme+ildct", "-b:v", "4M", "-c:a", "mp2"), {}],
  "5.1": () => [made("surround.mkv", ...picture(), ...sound("5.1"), ...h264, "-c:a", "ac3"), { audio: 2 }],
  "mono": () => [made("mono.mp4", ...picture(), ...sound("mono"), ...h264, ...aac), {}],
  "eight audio tracks": () => [made("eight.mkv", ...picture(), ...sound(), "-map", "0:v", ...Array.from({ length: 8 }, () => ["-map", "1:a"]).flat(), ...["eng", "fra", "deu", "spa", "ita", "por", "nld", "swe"].flatMap((code, i) => [`-metadata:s:a:${i}`, `language=${code}`]), ...h264, ...aac), { audio: 8 }],
  "times that begin below zero": () => [made("negative.mkv", ...picture(), ...sound(), ...h264, ...aac, "-output_ts_offset", "-1", "-avoid_negative_ts", "disabled"), {}],
  "times that begin late (an edit list)": () => [made("late.mp4", "-itsoffset", "1", ...picture(), ...sound(), ...h264, ...aac), { duration: seconds + 1 }],
  "a wrong extension": () => [made("film.avi.mp4", ...picture(), ...sound(), "-c:v", "mpeg4", "-c:a", "mp3", "-f", "avi"), {}],
  "MPEG-TS": () => [made("film.ts", ...picture(), ...sound(), ...h264, ...aac), {}],
  "huge metadata": () => {
    const notes = join(state, "notes.txt");
    writeFileSync(notes, `;FFMETADATA1\n${Array.from({ length: 200 }, (_, i) => `note${i}=${"w".repeat(8000)}\n`).join("")}`);
    return [made("notes.mkv", "-i", notes, ...picture(), ...sound(), "-map", "1:v", "-map", "2:a", "-map_metadata", "0", ...h264, ...aac), {}];
  },
};

for (const [name, make] of Object.entries(odd)) {
  test(`published: ${name}`, () => {
    const [file, expected] = make();
    published(`odd-${Object.keys(odd).indexOf(name)}`, file, expected);
  });
}

function damaged(file, name, change) {
  const bytes = readFileSync(file);
  const other = join(state, name);
  writeFileSync(other, change(bytes));
  return other;
}

const zeros = (bytes) => { bytes.fill(0, Math.floor(bytes.length * 0.3), Math.floor(bytes.length * 0.9)); return bytes; };
const faulty = {
  // FFmpeg takes no cue from it, so the track is empty: somebody has to say that this is meant.
  "a subtitle track with a STYLE block": () => {
    const subtitles = join(state, "styled.vtt");
    writeFileSync(subtitles, `WEBVTT\n\nSTYLE\n::cue { background-image: url(http://127.0.0.1:${network.address().port}/x); color: red }\n\n00:00.500 --> 00:02.000\n<b>Hello</b>\n`);
    return [made("styled.mkv", "-i", subtitles, ...picture(), ...sound(), "-map", "1:v", "-map", "2:a", "-map", "0:s", ...h264, ...aac, "-c:s", "webvtt"), ["quality_blocked"]];
  },
  "half of a file": () => [damaged(made("whole.mp4", ...picture(), ...sound(), ...h264, ...aac), "half.mp4", (bytes) => bytes.subarray(0, bytes.length / 2)), ["media_truncated", "media_unreadable"]],
  "zero bytes in the middle": () => [damaged(made("good.mkv", ...picture("640x360"), ...sound(), ...h264, "-b:v", "4M", ...aac), "zeros.mkv", zeros), ["media_truncated", "media_unreadable", "transcode_failed", "quality_blocked"]],
  "nothing but zero bytes": () => { const file = join(state, "zeros.mp4"); writeFileSync(file, Buffer.alloc(1 << 20)); return [file, ["media_unreadable"]]; },
  "no audio": () => [made("silent.mp4", ...picture(), ...h264), ["media_no_audio"]],
  "no video": () => [made("sound.mp4", ...sound(), ...aac), ["media_no_video"]],
  "a picture": () => [made("picture.png", ...picture(), "-frames:v", "1"), ["media_unreadable", "media_unsupported", "media_no_video", "media_no_audio"]],
  "a packed archive": () => { const file = join(state, "film.gz"); writeFileSync(file, gzipSync(Buffer.alloc(64 << 20))); return [file, ["media_unreadable", "media_unsupported"]]; },
  "a playlist that names local files": () => {
    const file = join(state, "local.m3u8");
    writeFileSync(file, `#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfile:///etc/hostname\n#EXTINF:4,\n${join(state, "upright.mp4")}\n#EXT-X-ENDLIST\n`);
    return [file, ["media_unreadable", "media_unsupported"]];
  },
  "a playlist that names a URL": () => {
    const file = join(state, "remote.mp4");
    writeFileSync(file, `#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nhttp://127.0.0.1:${network.address().port}/x.ts\n#EXT-X-ENDLIST\n`);
    return [file, ["media_unreadable", "media_unsupported"]];
  },
  "a list of files to join": () => { const file = join(state, "list.txt"); writeFileSync(file, `ffconcat version 1.0\nfile ${join(state, "upright.mp4")}\n`); return [file, ["media_unreadable", "media_unsupported"]]; },
  "a film that refers to another file": () => {
    const file = join(state, "sdp.mp4");
    writeFileSync(file, `v=0\nc=IN IP4 127.0.0.1\nm=video ${network.address().port} RTP/AVP 96\na=rtpmap:96 H264/90000\n`);
    return [file, ["media_unreadable", "media_unsupported"]];
  },
};

for (const [name, make] of Object.entries(faulty)) {
  test(`refused: ${name}`, () => {
    const [file, codes] = make();
    assert.ok(statSync(file).size > 0);
    const { version, error } = ingest(file, `faulty-${Object.keys(faulty).indexOf(name)}`);
    assert.equal(version, undefined, "it was published");
    assert.ok(codes.includes(error.code), JSON.stringify(error));
  });
}

test("no network was asked", () => assert.equal(asked, 0));
