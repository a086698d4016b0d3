// The packager beside nginx, which sends the same bytes as static files: each packaging of a film of 1080 lines, and
// what the playlists, the first segment of a cold title and 64 connections cost. The origin runs on one core.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Cluster } from "../cluster.mjs";
import { clientCore, discardClient, figureRow, measureGroup, median, rotatingClient, rowOf, serverCore } from "./measure.mjs";
import { Nginx } from "./nginx.mjs";
import { cpuSeconds, pin, runClient } from "./processes.mjs";

const connections = 8;
const manyConnections = 64;
const film = "packager", long = "two-hours";
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

// `goal`: of the ratio to nginx in its faster setting. A version is handed out in the clear or protected, not both.
const isProtected = (folder) => !["", "ts/"].includes(folder);
const packagings = [
  { name: "clear CMAF, 1080p", folder: "", height: 1080, goal: 0.9 },
  { name: "clear CMAF, 360p", folder: "", height: 360, goal: 0.75 },
  { name: "MPEG-TS, 1080p", folder: "ts/", height: 1080, goal: 0.45 },
  { name: "cbcs CMAF, 1080p", folder: "cbcs/", height: 1080, goal: 0.3 },
  { name: "cenc CMAF, 1080p", folder: "cenc/", height: 1080, goal: null },
  { name: "AES-128 of CMAF, 1080p", folder: "aes/", height: 1080, goal: 0.15 },
  { name: "AES-128 of MPEG-TS, 1080p", folder: "ts-aes/", height: 1080, goal: 0.15 },
  { name: "SAMPLE-AES of MPEG-TS, 1080p", folder: "ts-sample-aes/", height: 1080, goal: null },
];

function ffmpeg(args) {
  const run = spawnSync("ffmpeg", ["-v", "error", "-nostdin", "-y", ...args], { encoding: "utf8" });
  if (run.status !== 0) throw new Error(`ffmpeg: ${run.stderr ?? run.error}`);
}

// With noise, so that segments are as large as those of a real film.
function makeFilm(folder, seconds) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "film.mp4");
  ffmpeg(["-f", "lavfi", "-i", `testsrc2=s=1920x1080:r=24:d=${seconds},noise=alls=8:allf=t`,
    "-f", "lavfi", "-i", `sine=f=440:r=48000:d=${seconds}`,
    "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", file]);
  return file;
}

// Two hours, of which only the length matters: for the playlists.
function makeLongFilm(folder) {
  const file = join(folder, "long.mp4");
  ffmpeg(["-f", "lavfi", "-i", "testsrc=s=256x144:r=2:d=7200", "-f", "lavfi", "-i", "sine=f=440:r=48000:d=7200", "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", file]);
  return file;
}

class PackagerBench {
  constructor(context) {
    this.context = context;
    this.cluster = new Cluster({ bin: context.bin, state: join(context.state, "origin"), edges: 1, originSettings: { "log.level": "warn", "transcode.per_title": "false" } });
  }

  async start() {
    this.context.cleanup(() => this.cluster.stop());
    await this.cluster.startOrigin();
    this.cluster.writeCliConfig();
    this.context.say("  making and ingesting a film: a minute or more");
    this.versions = { [film]: this.cluster.cli("ingest", makeFilm(this.context.state, this.context.quick ? 24 : 72), "--title", film).version ?? "v1" };
    pin(this.pid(), serverCore);  // only now: transcoding may use the whole machine
    this.nginx = new Nginx(join(this.context.state, "nginx"), serverCore);
    this.context.cleanup(() => this.nginx.stop());
    await this.nginx.start();
    this.headersFile = join(this.context.state, "edge.headers");
    writeFileSync(this.headersFile, Object.entries(this.headers()).map(([name, value]) => `${name}: ${value}\n`).join(""), { mode: 0o600 });
  }

  pid() { return this.cluster.origin.child.pid; }
  headers() { return { ...this.cluster.bearer("edge-1"), "Reelway-Edge": "edge-1" }; }
  url(path) { return `http://${this.cluster.ports.media}${path}`; }

  async bytesOf(path) {
    const answer = await fetch(this.url(path), { headers: this.headers() });
    const bytes = Buffer.from(await answer.arrayBuffer());
    if (answer.status !== 200) throw new Error(`${path}: status ${answer.status}: ${bytes.toString("utf8", 0, 300)}`);
    return bytes;
  }

  // The segments of a rendition, as paths.
  async segments(title, folder, height) {
    const base = `/${title}/${this.versions[title]}/${folder}video/${height}/`;
    const playlist = (await this.bytesOf(`${base}media.m3u8`)).toString();
    return [...playlist.matchAll(/^(?!#)(\S+)$/gm)].map((match) => base + match[1]);
  }

  // Ours and nginx with the same bytes in both its settings.
  async subjects(paths, label) {
    for (const path of paths) {
      const bytes = await this.bytesOf(path);
      if (sha256(bytes) !== sha256(await this.bytesOf(path))) throw new Error(`${path}: two answers differ`);
      this.nginx.put(path, bytes);
    }
    const pid = () => this.nginx.pid;
    const list = [
      { name: "reelway-origin", pid: () => this.pid(), urls: paths.map((path) => this.url(path)), headersFile: this.headersFile },
      { name: "nginx static, tcp_nopush on", pid, urls: paths.map((path) => this.nginx.nopushOn + path) },
      { name: "nginx static, tcp_nopush off", pid, urls: paths.map((path) => this.nginx.nopushOff + path) }];
    for (const [index, subject] of list.entries()) {
      subject.urlsFile = join(this.context.state, `urls-${label.replace(/\W+/g, "-")}-${index}.txt`);
      writeFileSync(subject.urlsFile, subject.urls.join("\n") + "\n");
    }
    return list;
  }

  async measurePackaging({ name, folder, height, goal }) {
    const { bin, rounds, seconds, quick, say } = this.context;
    this.cluster.cli("protect", film, ...(isProtected(folder) ? [] : ["--clear"]));
    const subjects = await this.subjects(await this.segments(film, folder, height), name);
    say(`packager: ${name}`);
    const client = discardClient(join(bin, "reelway-load"), connections);
    const plan = { rounds: rounds ?? (quick ? 1 : 5), seconds: seconds ?? (quick ? 1 : 2), warmUpSeconds: 1, say };
    const taken = await measureGroup({ subjects, client }, plan);
    const work = `${name}, ${connections} connections`;
    const unit = "GB per server CPU-second";
    const rows = subjects.slice(1).map((peer, index) => ({ ...rowOf({ work, unit, peer: peer.name }, taken[0], taken[index + 1]), goal }));
    return [...rows, await this.measureMemory(name, subjects[0])];
  }

  // The most memory that the origin takes for itself while 64 clients fetch.
  async measureMemory(name, subject) {
    writeFileSync(`/proc/${this.pid()}/clear_refs`, "5");
    const args = ["bench", "--urls-file", subject.urlsFile, "--connections", String(manyConnections), "--duration", "2s", "--json", "--discard", "--headers-file", this.headersFile];
    const report = JSON.parse(await runClient(clientCore, join(this.context.bin, "reelway-load"), args));
    if (report.errors > 0) throw new Error(`${name}: ${report.errors} errors: ${report.first_error}`);
    const peak = Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.pid()}/status`, "utf8"))[1]) / 1024;
    return figureRow({ work: `${name}, ${manyConnections} connections`, unit: "MiB of resident memory at most", ours: peak, goal: 150 });
  }

  async measurePlaylist() {
    const { bin, rounds, seconds, quick, say } = this.context;
    say("  making and ingesting two hours: minutes");
    this.versions[long] = this.cluster.cli("ingest", makeLongFilm(this.context.state), "--title", long).version ?? "v1";
    const base = `/${long}/${this.versions[long]}/`;
    const height = /video\/(\d+)\//.exec((await this.bytesOf(`${base}master.m3u8`)).toString())[1];
    const path = `${base}video/${height}/media.m3u8`;
    const first = [];
    for (const folder of ["", "ts/"]) {
      const begun = cpuSeconds(this.pid());
      await this.bytesOf(`${base}${folder}video/${height}/media.m3u8`);
      first.push((cpuSeconds(this.pid()) - begun) * 1000);
    }
    const subject = { name: "reelway-origin", pid: () => this.pid(), urls: [this.url(path)], headersFile: this.headersFile, urlsFile: join(this.context.state, "urls-playlist.txt") };
    writeFileSync(subject.urlsFile, subject.urls[0] + "\n");
    say("packager: media playlist of two hours");
    const plan = { rounds: rounds ?? (quick ? 1 : 5), seconds: seconds ?? (quick ? 1 : 2), warmUpSeconds: 1, say };
    const [taken] = await measureGroup({ subjects: [subject], client: rotatingClient(join(bin, "reelway-load"), connections) }, plan);
    return [
      figureRow({ work: "media playlist of two hours", unit: "thousand requests per server CPU-second", ours: median(taken.map((one) => one.figure)), goal: 20, better: "higher", rounds: taken.length }),
      figureRow({ work: "media playlist of two hours, first time", unit: "ms of server CPU", ours: Math.max(...first), goal: 10 })];
  }

  // The first thing that is asked of an origin that has just started: the version's record, its indexes, the file.
  async measureColdTitle() {
    const times = [];
    this.cluster.cli("protect", film, "--clear");
    const [, path] = await this.segments(film, "", 1080);
    for (let round = 0; round < (this.context.quick ? 1 : 5); ++round) {
      await this.cluster.origin.stop();
      await this.cluster.startOrigin();
      pin(this.pid(), serverCore);
      const begun = cpuSeconds(this.pid());
      await this.bytesOf(path);
      times.push((cpuSeconds(this.pid()) - begun) * 1000);
    }
    return [figureRow({ work: "first segment of a cold title, 1080p", unit: "ms of server CPU", ours: median(times), goal: 5, rounds: times.length })];
  }
}

export async function measurePackager(context) {
  const bench = new PackagerBench(context);
  await bench.start();
  const rows = [];
  for (const packaging of packagings) rows.push(...await bench.measurePackaging(packaging));
  return [...rows, ...await bench.measureColdTitle(), ...await bench.measurePlaylist()];
}
