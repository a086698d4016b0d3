// The edge's disk rows: objects that lie on disk, and objects that are stored.

import { randomBytes } from "node:crypto";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { EdgeBench, accounts, objectPath, rowsOf, title } from "./edge.mjs";
import { clientCore, discardClient, measureGroup } from "./measure.mjs";
import { MemoryLimit } from "./memory_limit.mjs";
import { NginxCache, TrafficServer } from "./peers.mjs";
import { runClient } from "./processes.mjs";

const mib = 1 << 20;
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function shuffled(count, length) {
  return Array.from({ length }, () => Math.floor(Math.random() * count));
}

const flushLimitMs = 60_000;

// Disk writes of the edge so far, by result: ok, failed, shed.
async function diskWrites(bench) {
  const values = await bench.cluster.metrics(bench.edge, "reelway_edge_store_disk_writes_total");
  const of = (result) => values.get(`result="${result}"`) ?? 0;
  return { ok: of("ok"), shed: of("shed"), all: of("ok") + of("failed") + of("shed") };
}

// Until every fill that was completed has been written, or shed.
async function flushed(bench) {
  for (const end = Date.now() + flushLimitMs; ; await sleep(5)) {
    const fills = (await bench.cluster.metrics(bench.edge, "reelway_edge_store_fills_total")).get('result="completed"') ?? 0;
    if ((await diskWrites(bench)).all >= fills) return;
    if (Date.now() > end) throw new Error("the edge does not come to the end of its disk writes");
  }
}

// Data of five times the memory that bodies may take, the page cache included: each server is in a cgroup of its own, of
// that size and a little for the program itself.
export async function diskHits(context) {
  const connections = 16;
  const budget = (context.quick ? 64 : 256) * mib;
  const slack = 192 * mib;
  const count = 5 * budget / mib;
  const limits = {};
  const wrapperOf = (name) => {
    limits[name] = new MemoryLimit(name, budget + slack);
    context.cleanup(() => limits[name].remove());
    return limits[name].wrapper;
  };
  const bytes = randomBytes(mib);
  const bench = await EdgeBench.start(context, {
    peers: [NginxCache, TrafficServer], peerOptions: { memoryBytes: budget, aio: true }, wrapperOf,
    edgeSettings: { "store.memory_bytes": `${budget / mib}MiB`, "store.disk_bytes": "6GiB" } });
  const nginx = bench.peers[0];
  for (let number = 0; number < count; ++number) {
    bytes.writeUInt32LE(number);
    const object = Buffer.from(bytes);
    bench.origin.put(objectPath(number), object);
    nginx.put(objectPath(number), object);
  }
  // Written by us, the files lie in a page cache that no limit of nginx's counts.
  for (const file of ["www"].map((folder) => join(nginx.folder, folder, title, "v1/video/720"))) {
    spawnSync("sh", ["-c", 'sync; for file in "$0"/*; do dd of="$file" oflag=nocache conv=notrunc,fdatasync count=0 status=none; done', file]);
  }
  const subjects = [...bench.all, bench.subjectOf(nginx.staticFiles)];
  for (const subject of subjects) {
    bench.writeUrls(subject, Array.from({ length: count }, (_, number) => objectPath(number)));
    for (let pass = 0; pass < 3; ++pass) {
      await bench.askAll(subject);
      if (subject === subjects[0]) await flushed(bench);
    }
    bench.writeUrls(subject, shuffled(count, accounts).map(objectPath));
  }
  const asked = bench.origin.requests;
  const group = {
    work: `1 MiB from disk, data ${count} MiB, memory ${budget / mib} MiB, ${connections} connections`, unit: "GB per server CPU-second",
    subjects, client: discardClient(bench.program, connections), limits: "none" };
  const rows = rowsOf(group, await measureGroup(group, context.plan), { "nginx static files": 1.1, "nginx proxy_cache": 1.1 });
  context.say(`  the origin was asked ${bench.origin.requests - asked} times meanwhile`);
  return rows;
}

// CPU seconds for a GB that is fetched and stored on disk. A round is a number of objects, each asked for once.
export async function fills(context) {
  const connections = 8;
  const prefix = `/${title}/v1/video/720/fill`;
  const objectsOfRound = context.quick ? 400 : 2000;
  const bench = await EdgeBench.start(context, {
    peers: [NginxCache, TrafficServer], peerOptions: { memoryBytes: 256 * mib, diskBytes: 4096 * mib },
    edgeSettings: { "store.memory_bytes": "256MiB", "store.disk_bytes": "4GiB" } });
  bench.origin.putAll(prefix, randomBytes(mib));
  let next = 0;
  const shedBytes = async () => (await diskWrites(bench)).shed * mib;
  const client = async (subject) => {
    const isOurs = subject === group.subjects[0];
    bench.writeUrls(subject, Array.from({ length: objectsOfRound }, () => `${prefix}-${next++}.m4s`));
    const shed = isOurs ? await shedBytes() : 0;
    const report = JSON.parse(await runClient(clientCore, bench.program, ["bench", "--urls-file", subject.urlsFile, "--connections", String(connections),
      "--requests", String(objectsOfRound), "--duration", "600s", "--timeout", "120s", "--discard", "--json"]));
    if (report.errors > 0) throw new Error(`${subject.name}: ${report.first_error}`);
    if (!isOurs) return report.bytes / 1e9;
    await flushed(bench);
    const lost = await shedBytes() - shed;
    if (lost > 0) context.say(`  the edge stored ${lost / mib} objects in memory only`);
    return (report.bytes - lost) / 1e9;
  };
  const group = {
    work: `storing 1 MiB segments, ${connections} connections`, unit: "CPU seconds per GB", better: "lower", limits: "none",
    subjects: bench.all, client };
  // Every subject knows ours and every token before the first round counts.
  for (const subject of group.subjects) {
    const tokens = Array.from({ length: subject === group.subjects[0] ? accounts : 1 }, () => `${prefix}.m4s`);
    bench.writeUrls(subject, tokens);
    await bench.askAll(subject);
  }
  const taken = await measureGroup(group, context.plan);
  for (const one of taken.flat()) one.figure = 1 / one.figure;
  return rowsOf(group, taken, { "nginx proxy_cache": 0.4 });
}

