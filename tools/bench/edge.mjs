// The edge beside the best caches: the same bytes from the same origin, each on the server's core in turn. The edge checks
// token and rental on every request, with 10,000 tokens of as many accounts in rotation; its peers check nothing.

import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Cluster } from "../cluster.mjs";
import { FixedOrigin } from "./fixed_origin.mjs";
import { clientCore, discardClient, measureGroup, rotatingClient, rowOf, serverCore } from "./measure.mjs";
import { Haproxy, NginxCache, TrafficServer, Varnish } from "./peers.mjs";
import { runClient } from "./processes.mjs";

export const title = "bench";
export const accounts = 10_000;
const mib = 1 << 20;

export const objectPath = (number) => `/${title}/v1/video/720/${number}.m4s`;

// An origin, an edge and the wanted peers in front of it.
export class EdgeBench {
  static async start(context, { peers = [], edgeSettings = {}, peerOptions = {}, wrapperOf = () => [], objects = [], renters = accounts, folder = "edge" }) {
    const bench = new EdgeBench();
    Object.assign(bench, { context, program: join(context.bin, "reelway-load"), folder, files: 0 });
    const cluster = new Cluster({
      bin: context.bin, state: join(context.state, folder), edges: 1, wrapEdge: ["taskset", "-c", String(serverCore), ...wrapperOf("edge")],
      edgeSettings: { access_log: "", "log.level": "warn", "store.memory_bytes": "1GiB", "limits.connections_max": 15_000, "limits.idle_timeout": "1h", ...edgeSettings } });
    bench.cluster = cluster;
    bench.origin = await new FixedOrigin(cluster.secrets["edge-1"], { open: true }).listen();
    context.cleanup(() => bench.origin.close());
    for (const [number, bytes] of objects.entries()) bench.origin.put(objectPath(number), bytes);
    bench.tokens = bench.origin.rent(title, renters);
    cluster.edgeSettings["upstream.url"] = `http://${bench.origin.address}`;
    cluster.ports = { media: bench.origin.address };
    context.cleanup(() => cluster.stop());
    bench.edge = await cluster.startEdge(1);
    await cluster.waitForEdge(bench.edge);
    bench.peers = [];
    for (const Kind of peers) {
      const peer = new Kind({ folder: join(context.state, Kind.name), origin: bench.origin.address, wrapper: wrapperOf(Kind.name), ...peerOptions });
      context.cleanup(() => peer.stop());
      bench.peers.push(await peer.start());
    }
    return bench;
  }

  // How ours and each peer are asked: { name, pid(), url(path, n) } with n the number of the request in its rotation.
  get ours() {
    const base = `http://${this.edge.ready.public}`;
    return { name: "reelway-edge", pid: () => this.edge.child.pid, url: (path, n) => `${base}/t/${this.tokens[n % this.tokens.length]}${path}` };
  }
  subjectOf(peer) { return { name: peer.name, pid: () => (typeof peer.pid === "function" ? peer.pid() : peer.pid), url: (path) => peer.base + path, peer }; }
  get all() { return [this.ours, ...this.peers.map((peer) => this.subjectOf(peer))]; }

  writeUrls(subject, paths) {
    subject.urls = paths.map((path, n) => subject.url(path, n));
    subject.urlsFile = join(this.context.state, `${this.folder}-urls-${++this.files}.txt`);
    writeFileSync(subject.urlsFile, subject.urls.join("\n") + "\n", { mode: 0o600 });
  }

  // Asks for every URL once, eight at a time; what the load client says of it.
  async askAll(subject, connections = 8) {
    return JSON.parse(await runClient(clientCore, this.program, ["bench", "--urls-file", subject.urlsFile, "--connections", String(connections),
      "--requests", String(subject.urls.length), "--timeout", "120s", "--json"]));
  }

  // Until nothing more is asked of the origin: then all of it comes from the cache. Some caches want to see an object more
  // than once before they keep it.
  async warm(subject) {
    for (let pass = 0; pass < 5; ++pass) {
      const before = this.origin.requests;
      const report = await this.askAll(subject);
      if (report.errors > 0) throw new Error(`${subject.name}: ${report.first_error}`);
      if (pass > 0 && this.origin.requests === before) return;
    }
    if (!subject.mayMiss) throw new Error(`${subject.name} goes on asking the origin: its objects are not hits`);
  }

  // The same bytes from everybody, by one look at each object.
  async verify(subjects, objects) {
    for (const subject of subjects) {
      for (const [number, bytes] of objects.entries()) {
        const answer = await fetch(subject.url(objectPath(number), number));
        const got = Buffer.from(await answer.arrayBuffer());
        if (answer.status !== 200 || !got.equals(bytes)) throw new Error(`${subject.name}: status ${answer.status}, ${got.length} bytes that are not the object's`);
      }
    }
  }
}

// The rows of one work: ours against each peer; the goal stands where it is meant.
export function rowsOf(group, taken, goals) {
  const rows = group.subjects.slice(1).map((peer, index) => rowOf({ work: group.work, unit: group.unit, peer: peer.name, better: group.better, limits: group.limits }, taken[0], taken[index + 1]));
  const best = rows.reduce((a, b) => ((group.better === "lower" ? b.peer_figure < a.peer_figure : b.peer_figure > a.peer_figure) ? b : a));
  for (const row of rows) row.goal = goals[row.peer] ?? (goals.best && row === best ? goals.best : null);
  return rows;
}

async function hits(context, { name, sizeBytes, count, connections, goals, small = false }) {
  const objects = Array.from({ length: count }, () => randomBytes(sizeBytes));
  const bench = await EdgeBench.start(context, {
    peers: [NginxCache, Haproxy, TrafficServer, Varnish], peerOptions: { memoryBytes: 1024 * mib, largeBodies: sizeBytes > 512 * 1024 }, objects });
  const nginx = bench.peers.find((peer) => peer instanceof NginxCache);
  for (const [number, bytes] of objects.entries()) nginx.put(objectPath(number), bytes);
  const subjects = [...bench.all, bench.subjectOf(nginx.staticFiles)];
  const paths = Array.from({ length: accounts }, (_, n) => objectPath(n % count));
  for (const subject of subjects) {
    // A peer's objects are few; all of ours are asked for with every token.
    bench.writeUrls(subject, subject === subjects[0] || small ? paths : paths.slice(0, count));
    await bench.warm(subject);
  }
  await bench.verify(subjects, objects);
  const client = small ? rotatingClient(bench.program, connections) : discardClient(bench.program, connections);
  const group = {
    work: `hits of ${name}, ${connections} connections`, unit: small ? "thousand requests per server CPU-second" : "GB per server CPU-second",
    subjects, client, limits: "server" };
  return rowsOf(group, await measureGroup(group, context.plan), goals);
}

const sizes = {
  "2k": { name: "2 KiB", sizeBytes: 2048, count: 64, connections: 64, small: true, goals: { "nginx proxy_cache": 2.0, HAProxy: 1.3 } },
  "96k": { name: "96 KiB", sizeBytes: 96 * 1024, count: 256, connections: 16, goals: { best: 1.1 } },
  "256k": { name: "256 KiB", sizeBytes: 256 * 1024, count: 128, connections: 16, goals: { best: 1.0 } },
  "1m": { name: "1 MiB", sizeBytes: mib, count: 64, connections: 16, goals: { best: 1.15 } },
  "4m": { name: "4 MiB", sizeBytes: 4 * mib, count: 16, connections: 16, goals: { best: 1.0 } },
};

// What it costs that an object is at home at another ring than its connection: half of the requests of an edge of two
// rings, beside an edge of one ring; both on the one core.
export async function handedOver(context) {
  const rows = [];
  for (const { name, sizeBytes, count, connections, small } of [sizes["2k"], sizes["256k"]]) {
    const objects = Array.from({ length: count }, () => randomBytes(sizeBytes));
    const benches = [];
    for (const rings of [2, 1]) benches.push(await EdgeBench.start(context, { objects, edgeSettings: { rings }, folder: `edge-${count}-${rings}` }));
    const subjects = benches.map((bench, index) => ({ ...bench.ours, name: index === 0 ? "reelway-edge, two rings" : "reelway-edge, one ring" }));
    const paths = Array.from({ length: accounts }, (_, n) => objectPath(n % count));
    for (const [index, subject] of subjects.entries()) {
      benches[index].writeUrls(subject, paths);
      await benches[index].warm(subject);
      await benches[index].verify([subject], objects);
    }
    const { program } = benches[0];
    const group = {
      work: `hits of ${name}, ${connections} connections, half of them at home elsewhere`, unit: small ? "thousand requests per server CPU-second" : "GB per server CPU-second",
      subjects, client: small ? rotatingClient(program, connections) : discardClient(program, connections), limits: "server" };
    rows.push(...rowsOf(group, await measureGroup(group, context.plan), {}));
  }
  return rows;
}

export const hitRows = Object.fromEntries(Object.entries(sizes).map(([key, size]) => [key, (context) => hits(context, size)]));
