// What is measured. A group starts its servers, makes sure that all of them give the same bytes from where they are
// meant to come from, and lists its subjects, ours first.

import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Cluster } from "../cluster.mjs";
import { FixedOrigin } from "./fixed_origin.mjs";
import { clientCore, discardClient, serverCore, wrkClient } from "./measure.mjs";
import { Nginx } from "./nginx.mjs";
import { pin } from "./processes.mjs";

const title = "bench";
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
export const onServerCore = ["taskset", "-c", String(serverCore)];

async function fetchBytes(url, headers = {}) {
  const answer = await fetch(url, { headers });
  const bytes = Buffer.from(await answer.arrayBuffer());
  if (answer.status !== 200) throw new Error(`${url}: status ${answer.status}: ${bytes.toString("utf8", 0, 300)}`);
  return { bytes, headers: answer.headers };
}

// Every subject gives the bytes of `expected`, object by object, and says that they came from where `from` asks.
async function verify(subjects, expected) {
  for (const subject of subjects) {
    for (const [index, url] of subject.urls.entries()) {
      let answer = await fetchBytes(url, subject.headers);
      // A cache may want to see an object more than once before it keeps it in memory.
      for (let more = 0; more < 5 && subject.from && !subject.from(answer.headers); ++more) answer = await fetchBytes(url, subject.headers);
      if (subject.from && !subject.from(answer.headers)) {
        throw new Error(`${subject.name}: ${url} is not a hit: ${answer.headers.get("cache-status") ?? answer.headers.get("x-cache")}`);
      }
      if (sha256(answer.bytes) !== expected[index]) throw new Error(`${subject.name}: ${url} has other bytes than the object`);
    }
  }
}

function writeUrlFiles(state, subjects) {
  for (const [index, subject] of subjects.entries()) {
    subject.urlsFile = join(state, `urls-${index}.txt`);
    writeFileSync(subject.urlsFile, subject.urls.join("\n") + "\n");
  }
}

const isEdgeMemoryHit = (headers) => /; hit/.test(headers.get("cache-status") ?? "") && !/detail=disk/.test(headers.get("cache-status"));
const isNginxHit = (headers) => headers.get("x-cache") === "HIT";

// An edge in front of fixed objects, and nginx with the same ones.
async function startHits({ bin, state, cleanup }, sizeBytes, count) {
  const nginx = new Nginx(join(state, "nginx"), serverCore);
  cleanup(() => nginx.stop());
  const cluster = new Cluster({
    bin, state: join(state, "edge"), edges: 1, wrapEdge: onServerCore,
    edgeSettings: { access_log: "", "log.level": "warn", "store.memory_bytes": "512MiB", "limits.connections_max": 1000 } });
  const origin = await new FixedOrigin(cluster.secrets["edge-1"]).listen();
  cleanup(() => origin.close());
  cluster.edgeSettings["upstream.url"] = `http://${origin.address}`;
  cluster.ports = { media: origin.address };
  const paths = Array.from({ length: count }, (_, number) => `/${title}/v1/video/720/${number}.m4s`);
  const sums = paths.map((path) => {
    const bytes = randomBytes(sizeBytes);
    origin.put(path, bytes);
    nginx.put(path, bytes);
    return sha256(bytes);
  });
  await nginx.start();
  cleanup(() => cluster.stop());
  const edge = await cluster.startEdge(1);
  await cluster.waitForEdge(edge);
  const token = origin.token(title);
  const pid = () => nginx.pid;
  const subjects = {
    ours: { name: "reelway-edge", pid: () => edge.child.pid, urls: paths.map((path) => `http://${edge.ready.public}/t/${token}${path}`), from: isEdgeMemoryHit },
    nopushOff: { name: "nginx static, tcp_nopush off", pid, urls: paths.map((path) => nginx.nopushOff + path) },
    nopushOn: { name: "nginx static, tcp_nopush on", pid, urls: paths.map((path) => nginx.nopushOn + path) },
    cache: { name: "nginx proxy_cache", pid, urls: paths.map((path) => nginx.cache + path), from: isNginxHit },
  };
  return { subjects, sums };
}

async function smallHits(context) {
  const connections = 64;
  const { subjects, sums } = await startHits(context, 2048, 1);
  const chosen = [subjects.ours, subjects.nopushOff, subjects.cache];
  await verify(chosen, sums);
  return { work: `hits of 2 KiB, ${connections} connections`, unit: "thousand requests per server CPU-second", subjects: chosen, client: wrkClient(connections) };
}

async function largeHits(context) {
  const connections = 16;
  const { subjects, sums } = await startHits(context, 1 << 20, 64);
  const chosen = [subjects.ours, subjects.nopushOn, subjects.nopushOff, subjects.cache];
  await verify(chosen, sums);
  writeUrlFiles(context.state, chosen);
  return {
    work: `hits of 1 MiB, 64 objects, ${connections} connections`, unit: "GB per server CPU-second", subjects: chosen,
    client: discardClient(join(context.bin, "reelway-load"), connections) };
}

// Picture with noise, so that segments are as large as those of a real film.
export function makeFilm(folder, seconds) {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "film.mp4");
  const run = spawnSync("ffmpeg", ["-v", "error", "-nostdin", "-y",
    "-f", "lavfi", "-i", `testsrc2=s=1280x720:r=24:d=${seconds},noise=alls=12:allf=t`,
    "-f", "lavfi", "-i", `sine=f=440:r=48000:d=${seconds}`,
    "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", file], { encoding: "utf8" });
  if (run.status !== 0) throw new Error(`ffmpeg: ${run.stderr ?? run.error}`);
  return file;
}

// The media segments of the tallest video rendition, as paths on the origin's media port.
async function segmentPaths(cluster, version) {
  const text = async (path) => (await fetchBytes(`http://${cluster.ports.media}${path}`, edgeHeaders(cluster))).bytes.toString();
  const resolve = (uri, base) => new URL(uri, `http://origin${base}`).pathname;
  const uris = (playlist) => [...playlist.matchAll(/^(?!#)(\S+)$/gm)].map((match) => match[1]);
  const masterPath = `/${title}/${version}/master.m3u8`;
  const playlists = uris(await text(masterPath)).map((uri) => resolve(uri, masterPath));
  const height = (path) => Number(/\/video\/(\d+)/.exec(path)?.[1] ?? 0);
  const tallest = playlists.sort((a, b) => height(b) - height(a))[0];
  return uris(await text(tallest)).map((uri) => resolve(uri, tallest));
}

const edgeHeaders = (cluster) => ({ ...cluster.bearer("edge-1"), "Reelway-Edge": "edge-1" });

async function startOriginWithFilm({ bin, state, cleanup, quick }) {
  const cluster = new Cluster({ bin, state: join(state, "origin"), edges: 1, originSettings: { "log.level": "warn" } });
  cleanup(() => cluster.stop());
  await cluster.startOrigin();
  cluster.writeCliConfig();
  const ingested = cluster.cli("ingest", makeFilm(state, quick ? 24 : 48), "--title", title);
  pin(cluster.origin.child.pid, serverCore);  // only now: transcoding may use the whole machine
  return { cluster, version: ingested.version ?? "v1" };
}

async function justInTime(context) {
  const connections = 8;
  const { cluster, version } = await startOriginWithFilm(context);
  const paths = await segmentPaths(cluster, version);
  const headers = edgeHeaders(cluster);
  const nginx = new Nginx(join(context.state, "nginx"), serverCore);
  context.cleanup(() => nginx.stop());
  const media = `http://${cluster.ports.media}`;
  const sums = [];
  let bytesTotal = 0;
  for (const path of paths) {
    const { bytes } = await fetchBytes(media + path, headers);
    nginx.put(path, bytes);
    sums.push(sha256(bytes));
    bytesTotal += bytes.length;
  }
  await nginx.start();
  const headersFile = join(context.state, "edge.headers");
  writeFileSync(headersFile, Object.entries(headers).map(([name, value]) => `${name}: ${value}\n`).join(""), { mode: 0o600 });
  const ours = { name: "reelway-origin", pid: () => cluster.origin.child.pid, urls: paths.map((path) => media + path), headers, headersFile };
  const pid = () => nginx.pid;
  const chosen = [ours,
    { name: "nginx static, tcp_nopush on", pid, urls: paths.map((path) => nginx.nopushOn + path) },
    { name: "nginx static, tcp_nopush off", pid, urls: paths.map((path) => nginx.nopushOff + path) }];
  await verify(chosen, sums);
  writeUrlFiles(context.state, chosen);
  context.say(`  ${paths.length} segments of ${(bytesTotal / paths.length / (1 << 20)).toFixed(1)} MiB on average`);
  return {
    work: `just-in-time segments, ${connections} connections`, unit: "GB per server CPU-second",
    subjects: chosen, client: discardClient(join(context.bin, "reelway-load"), connections) };
}

export const groups = { small: smallHits, large: largeHits, jit: justInTime };
export const cores = { serverCore, clientCore };
