// Films for tests, made by FFmpeg once a run and folder.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

export function ffmpeg(args, options = {}) {
  const run = spawnSync("ffmpeg", ["-v", "error", "-nostdin", "-y", ...args], { maxBuffer: 1 << 28, ...options });
  if (run.status !== 0) throw new Error(`ffmpeg ${args.join(" ")}: ${run.stderr}`);
  return run;
}

// A moving picture with sound: `seconds` at `rate` frames a second.
export function makeFilm(folder, { seconds = 8, width = 640, height = 360, rate = 30, video = true, audio = true, name } = {}) {
  const file = join(folder, name ?? `film-${width}x${height}-${rate.toString().replace("/", "_")}-${seconds}s${video ? "" : "-novideo"}${audio ? "" : "-noaudio"}.mp4`);
  if (existsSync(file)) return file;
  ffmpeg([
    ...(video ? ["-f", "lavfi", "-i", `testsrc2=s=${width}x${height}:r=${rate}:d=${seconds}`] : []),
    ...(audio ? ["-f", "lavfi", "-i", `sine=f=440:r=48000:d=${seconds}`] : []),
    ...(video ? ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"] : []),
    ...(audio ? ["-c:a", "aac"] : []),
    file,
  ]);
  return file;
}

// The MD5 of every decoded frame of one video stream, in order.
export function videoFrames(input, stream = 0) {
  const text = ffmpeg(["-i", input, "-map", `0:v:${stream}`, "-f", "framemd5", "-"], { encoding: "utf8" }).stdout;
  return text.split("\n").filter((line) => line && !line.startsWith("#")).map((line) => line.split(",").at(-1).trim());
}

// All decoded samples of the first audio stream, 16 bit.
export function audioSamples(input) {
  return ffmpeg(["-i", input, "-map", "0:a:0", "-f", "s16le", "-"]).stdout;
}
