// What chunking, isolation and joining cost: the CPU seconds of making a film's ladder (origin and all its media tools:
// probe, parts, join) beside one plain ffmpeg command that makes the same ladder from one decode. A second row has the
// whole job, with what nobody asks of that command: quality checks, the samples by which bit rates are chosen, and the
// decoding of all that was made. REELWAY_BENCH_FILM names a film; without one a moving picture with grain is made.

import { spawnSync } from "node:child_process";
import { readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { Cluster } from "../cluster.mjs";
import { figureRow, median } from "./measure.mjs";

const ticksPerSecond = 100;
const goal = 1.15;
const pollMs = 200;

function ffmpeg(args) {
  const run = spawnSync("ffmpeg", ["-hide_banner", "-nostdin", "-y", "-v", "error", ...args], { encoding: "utf8" });
  if (run.status !== 0) throw new Error(`ffmpeg: ${run.stderr}`);
}

// Three rungs: 540, 360 and 240 lines.
function film(context, seconds) {
  const file = join(context.state, "film.mp4");
  const given = process.env.REELWAY_BENCH_FILM;
  const input = given
    ? ["-stream_loop", "-1", "-i", given, "-t", String(seconds), "-vf", "scale=960:540,setsar=1"]
    : ["-f", "lavfi", "-i", `testsrc2=s=960x540:r=24:d=${seconds},noise=alls=6:allf=t`, "-f", "lavfi", "-i", `sine=d=${seconds}`];
  ffmpeg([...input, "-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", "2", file]);
  return file;
}

// Of a process and all its children that have ended and been waited for, in seconds.
function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0) / ticksPerSecond;
}

async function job(cluster, film, title) {
  const size = statSync(film).size;
  const begun = await cluster.api("POST", "/v1/uploads", { filename: "film.mp4", size_bytes: size, title });
  const put = await fetch(`http://${cluster.ports.api}/v1/uploads/${begun.body.upload}`, { method: "PUT", headers: cluster.bearer("api"), body: readFileSync(film) });
  if (put.status !== 200) throw new Error(`upload: ${put.status}`);
  const pid = cluster.origin.child.pid, stages = {};
  let stage = "probe", before = cpuSeconds(pid);
  const count = (next) => {  // what was spent since the last look belongs to the stage that was
    const now = cpuSeconds(pid);
    stages[stage] = (stages[stage] ?? 0) + now - before;
    [stage, before] = [next, now];
  };
  const made = await cluster.api("POST", "/v1/titles", { title, upload: begun.body.upload });
  for (;;) {
    const state = (await cluster.api("GET", `/v1/jobs/${made.body.job}`)).body;
    if (state.state === "failed") throw new Error(JSON.stringify(state.error));
    count(state.stage);
    if (state.state === "done") return { stages, parts: state.parts, cpu: Object.values(stages).reduce((sum, one) => sum + one, 0) };
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

// The same rungs, bit rates, groups and preset, and the same sound, from one decode in one process, with as many threads as
// ffmpeg and x264 choose themselves.
function plain(context, film, renditions) {
  const video = renditions.filter((one) => one.kind === "video");
  const graph = `[0:v]split=${video.length}${video.map((_, i) => `[s${i}]`).join("")};` + video.map((one, i) => `[s${i}]scale=${one.width}:${one.height}:flags=bicubic[v${i}]`).join(";");
  const outputs = video.flatMap((one, i) => [
    "-map", `[v${i}]`, "-c:v", "libx264", "-preset", "veryfast", "-b:v", String(one.target), "-maxrate", String(one.target * 1.5), "-bufsize", String(one.target * 1.5),
    "-g", "48", "-keyint_min", "48", "-sc_threshold", "0", "-bf", "3", join(context.state, `plain-${i}.mp4`)]);
  const run = spawnSync("ffmpeg", ["-hide_banner", "-nostdin", "-y", "-v", "info", "-benchmark", "-i", film, "-filter_complex", graph, ...outputs,
    "-map", "0:a", "-c:a", "aac", "-b:a", "128k", "-ac", "2", join(context.state, "plain-a.mp4")], { encoding: "utf8", maxBuffer: 1 << 26 });
  const match = /bench: utime=([\d.]+)s stime=([\d.]+)s/.exec(run.stderr);
  if (run.status !== 0 || !match) throw new Error(`ffmpeg: ${run.stderr.slice(-500)}`);
  return Number(match[1]) + Number(match[2]);
}

export async function measureTranscode(context) {
  const rounds = context.rounds ?? (context.quick ? 1 : 3);
  const seconds = context.quick ? 20 : 180;
  const source = film(context, seconds);
  const cluster = new Cluster({ bin: context.bin, state: join(context.state, "house"), edges: 0 });
  context.cleanup(() => cluster.stop());
  await cluster.startOrigin();
  const ours = [], whole = [], theirs = [];
  let parts = 0, renditions = null;
  for (let round = 0; round < rounds; ++round) {
    const made = await job(cluster, source, `film-${round}`);
    parts = made.parts;
    ours.push(["probe", "transcode", "index", "publish"].reduce((sum, stage) => sum + (made.stages[stage] ?? 0), 0));
    whole.push(made.cpu);
    if (!renditions) {
      const title = (await cluster.api("GET", "/v1/titles/film-0")).body;
      renditions = title.versions[0].renditions.map((one) => ({ ...one, target: one.target_bandwidth ?? one.average_bandwidth }));
    }
    theirs.push(plain(context, source, renditions));
    const shares = Object.entries(made.stages).map(([stage, cpu]) => `${stage} ${cpu.toFixed(1)}`).join(", ");
    context.say(`transcode: round ${round + 1}: ${made.cpu.toFixed(1)} s of CPU in ${parts} parts (${shares}), plain ffmpeg ${theirs.at(-1).toFixed(1)} s`);
  }
  rmSync(source);
  const row = (work, figures, goal) => {
    const ratios = figures.map((value, i) => value / theirs[i]);
    return { ...figureRow({ work, unit: "CPU-s", ours: median(figures), peer: "one ffmpeg", peerFigure: median(theirs), ratio: median(ratios), goal, rounds }),
      range: [Math.min(...ratios).toFixed(2), Math.max(...ratios).toFixed(2)] };
  };
  const rungs = renditions.filter((one) => one.kind === "video").length;
  return [row(`${seconds} s of film to ${rungs} rungs and sound, ${parts} parts`, ours, goal), row("the whole job, with checks, samples and verification", whole)];
}
