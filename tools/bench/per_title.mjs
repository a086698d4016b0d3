// What choosing bit rates for each film saves, and what it costs to see: each film is ingested twice, once with the
// table's rates and once with its own (transcode.per_title), and every rendition of both is compared with the source
// scaled to its height. REELWAY_BENCH_FILMS names films, separated by colons; without it an easy and a hard one are made.

import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, statSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { Cluster } from "../cluster.mjs";

const pollMs = 200;
const peakMax = 1.5;  // times the average (Roku)

function ffmpeg(args) {
  const run = spawnSync("ffmpeg", ["-hide_banner", "-nostdin", "-y", ...args], { encoding: "utf8", maxBuffer: 1 << 26 });
  if (run.status !== 0) throw new Error(`ffmpeg: ${run.stderr.slice(-500)}`);
  return run.stderr;
}

function madeFilm(context, name, picture, seconds) {
  const file = join(context.state, `${name}.mp4`);
  ffmpeg(["-v", "error", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", "sine", "-t", String(seconds), "-c:v", "libx264",
    "-preset", "veryfast", "-crf", "16", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2", file]);
  return file;
}

function films(context) {
  const given = (process.env.REELWAY_BENCH_FILMS ?? process.env.REELWAY_BENCH_FILM ?? "").split(":").filter(Boolean);
  if (given.length > 0) return given;
  const seconds = context.quick ? 12 : 40;
  return [
    madeFilm(context, "easy", "testsrc2=s=640x360:r=24,gblur=sigma=3", seconds),
    madeFilm(context, "hard", "testsrc2=s=640x360:r=24,scroll=horizontal=0.005,noise=alls=20:allf=t", seconds)];
}

async function ingest(cluster, file, title) {
  const begun = await cluster.api("POST", "/v1/uploads", { filename: basename(file), size_bytes: statSync(file).size, title });
  const put = await fetch(`http://${cluster.ports.api}/v1/uploads/${begun.body.upload}`, { method: "PUT", headers: cluster.bearer("api"), body: readFileSync(file) });
  if (put.status !== 200) throw new Error(`upload: ${put.status}`);
  const made = await cluster.api("POST", "/v1/titles", { title, upload: begun.body.upload });
  for (;;) {
    const state = (await cluster.api("GET", `/v1/jobs/${made.body.job}`)).body;
    if (state.state === "failed" || state.state === "held") throw new Error(JSON.stringify(state.error));
    if (state.state === "done") break;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  return (await cluster.api("GET", `/v1/titles/${title}`)).body.versions[0];
}

// Of a rendition beside the source at its size, over all pictures.
function likeness(track, source, { width, height }) {
  const told = ffmpeg(["-v", "info", "-i", track, "-i", source, "-lavfi",
    `[0:v]setpts=PTS-STARTPTS[a];[1:v]setpts=PTS-STARTPTS,scale=${width}:${height}:flags=bicubic,format=yuv420p,setsar=1[b];[a][b]ssim`, "-f", "null", "-"]);
  return Number(/SSIM .*All:([\d.]+)/.exec(told)[1]);
}

// The version with its SSIM by rendition.
async function measured(cluster, file, title) {
  const version = await ingest(cluster, file, title);
  const renditions = version.renditions.filter((one) => one.kind === "video").map((one) => {
    const track = join(cluster.state, "origin", "titles", title, version.version, `${one.id.replace("/", "-")}.mp4`);
    return { ...one, ssim: likeness(track, file, one) };
  });
  return { ...version, renditions };
}

async function onOrigin(context, name, originSettings, work) {
  const cluster = new Cluster({ bin: context.bin, state: join(context.state, name), edges: 0, originSettings });
  context.cleanup(() => cluster.stop());
  await cluster.startOrigin();
  const result = await work(cluster);
  await cluster.stop();
  return result;
}

export async function measurePerTitle(context) {
  const sources = films(context);
  const each = async (cluster) => {
    const versions = [];
    for (const [index, file] of sources.entries()) versions.push(await measured(cluster, file, `film-${index}`));
    return versions;
  };
  const fixed = await onOrigin(context, "table", { "transcode.per_title": false }, each);
  const chosen = await onOrigin(context, "chosen", {}, each);
  const rows = [];
  for (const [index, file] of sources.entries()) {
    const film = basename(file, extname(file)), probe = chosen[index].per_title;
    context.say(`${film}: ${probe ? `${probe.samples} samples, ${probe.seconds} s of film, ${probe.cpu_s.toFixed(1)} s of CPU (all of the job's parts: ${chosen[index].cost.cpu_s.toFixed(1)} s)` : "no samples could be taken"}`);
    for (const [place, own] of chosen[index].renditions.entries()) {
      const table = fixed[index].renditions[place];
      rows.push({
        film, rung: own.height, table_kbits: table.target_bandwidth / 1000, chosen_kbits: own.target_bandwidth / 1000,
        saving_percent: Math.round(100 * (1 - own.target_bandwidth / table.target_bandwidth)),
        table_ssim: table.ssim.toFixed(4), chosen_ssim: own.ssim.toFixed(4),
        bytes_saved_percent: Math.round(100 * (1 - own.bytes / table.bytes)),
        peak_to_average: (own.bandwidth / own.average_bandwidth).toFixed(2), peak_max: peakMax });
    }
    if (!process.env.REELWAY_BENCH_FILMS && !process.env.REELWAY_BENCH_FILM) rmSync(file);
  }
  return rows;
}
