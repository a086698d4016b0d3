// An edge under mixed load for a long time: films and a site, evictions in both tiers, an origin that fails, clients
// that leave, junk tokens, rentals that end, purges. Every byte served is right, and memory and descriptors are flat.
// REELWAY_SOAK_SECONDS sets how long (default 30), a third of which is warm-up, REELWAY_SOAK_RINGS on how many rings
// (default 2). A run of less than ten minutes only says the slope of memory: the cache of the index and the allocator's
// (or a sanitizer's) pools still fill then.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Cluster } from "../../tools/cluster.mjs";
import { FaultySite, bodyOf } from "../support/faulty_site.mjs";
import { makeFilm } from "../support/films.mjs";
import { get, objectsOf, sha256 } from "../support/playing.mjs";
import { randomFrom } from "../support/random.mjs";
import { Renting } from "../support/renting.mjs";

const seconds = Number(process.env.REELWAY_SOAK_SECONDS ?? 30);
const seed = Number(process.env.REELWAY_SEED ?? Date.now() % 1_000_000);
const rings = Number(process.env.REELWAY_SOAK_RINGS ?? 2);
const clients = 16, siteObjects = 3000, sampleEveryMs = 500;
// What the allocator and the kernel may differ by between two looks; a leak of a byte a request is far beyond it in a
// long run.
const slopeFromSeconds = 600, memoryNoiseMiB = 24, descriptorNoise = 64;

const state = mkdtempSync(join(tmpdir(), "reelway-soak-"));
const random = randomFrom(seed);
const counts = { right: 0, part: 0, failed: 0, left: 0, refused: 0, revoked: 0, purged: 0 };
const agent = new http.Agent({ keepAlive: true, maxSockets: clients * 2 });
let cluster, site, renting, film, edge;

before(async () => {
  site = await new FaultySite({ seed }).listen();
  cluster = await new Cluster({ bin: process.env.REELWAY_BIN, state, edges: 1, edgeSettings: {
    "site.upstreams": [site.url], "store.memory_bytes": "32MiB", "store.disk_bytes": "96MiB", "store.index_memory_bytes": "16MiB", rings, "log.level": "error", access_log: "" } }).start();
  cluster.cli("ingest", makeFilm(state, { seconds: 12 }), "--title", "film");
  edge = cluster.edges[0];
  renting = new Renting(cluster);
  film = new Map();
  const { master_url: master } = await rent("viewer-first");
  for (const url of await objectsOf(master)) film.set(new URL(url).pathname.split("/").slice(3).join("/"), sha256((await get(url)).body));
});

after(async () => {
  await cluster?.stop();
  await site?.close();
  rmSync(state, { recursive: true, force: true });
});

async function rent(account) {
  await renting.order(account, "film");
  return renting.playback(account, "film");
}

// { status, body }, or nothing when the connection broke or `leaveAfter` bytes were enough.
function ask(url, { headers = {}, leaveAfter = Infinity } = {}) {
  return new Promise((resolve) => {
    const request = http.get(url, { headers, agent }, (answer) => {
      const pieces = [];
      let size = 0;
      answer.on("data", (piece) => {
        pieces.push(piece);
        size += piece.length;
        if (size > leaveAfter) request.destroy();
      });
      answer.on("end", () => resolve(answer.complete ? { status: answer.statusCode, headers: answer.headers, body: Buffer.concat(pieces) } : null));
      answer.on("close", () => resolve(null));
    });
    request.on("error", () => resolve(null));
  });
}

async function askSite() {
  const path = `/o/${Math.floor(siteObjects * random() ** 3)}`;  // some are asked for far more often than others
  const right = bodyOf(path);
  const url = `http://${edge.ready.public}${path}`;
  const kind = random();
  if (kind < 0.1) {
    await ask(url, { leaveAfter: right.length * random() });
    return ++counts.left;
  }
  const first = Math.floor(right.length * random());
  const answer = await ask(url, kind < 0.25 ? { headers: { Range: `bytes=${first}-` } } : {});
  if (answer === null || answer.status >= 500) return ++counts.failed;
  assert.ok(answer.status === 200 || answer.status === 206, `${path}: ${answer.status}`);
  assert.ok(answer.body.equals(answer.status === 206 ? right.subarray(first) : right), `${path}: wrong bytes in a ${answer.status}`);
  ++counts[answer.status === 206 ? "part" : "right"];
}

async function askFilm(playback) {
  const names = [...film.keys()];
  const name = names[Math.floor(names.length * random())];
  const token = random() < 0.1 ? playback.token.slice(0, -4) + "AAAA" : playback.token;
  const answer = await ask(`http://${edge.ready.public}/t/${token}/${name}`);
  if (answer === null || answer.status >= 500) return ++counts.failed;
  if (answer.status !== 200) return ++counts.refused;
  assert.equal(sha256(answer.body), film.get(name), `${name}: wrong bytes`);
  ++counts.right;
}

async function client(number, end) {
  let playback = await rent(`viewer-${number}`);
  for (let turn = 1; Date.now() < end; ++turn) {
    await (random() < 0.5 ? askSite() : askFilm(playback));
    if (turn % 400 !== 0) continue;
    await renting.revoke(playback.entitlement);
    ++counts.revoked;
    playback = await rent(`viewer-${number}-${turn}`);
  }
}

async function purges(end) {
  while (Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const group = Math.floor(16 * random());
    cluster.cli("purge", "--tag", `group-${group}`, ...(random() < 0.5 ? ["--soft"] : []));
    ++counts.purged;
  }
}

function sampleNow(began) {
  const pid = edge.child.pid;
  const resident = Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;
  return { atS: (Date.now() - began) / 1000, resident, descriptors: readdirSync(`/proc/${pid}/fd`).length };
}

async function sampling(began, end) {
  const samples = [];
  while (Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, sampleEveryMs));
    samples.push(sampleNow(began));
  }
  return samples.filter(({ atS }) => atS > seconds / 3);
}

// Least squares: how much a second.
function slope(samples, value) {
  const mean = (of) => samples.reduce((sum, each) => sum + of(each), 0) / samples.length;
  const atMean = mean(({ atS }) => atS), valueMean = mean(value);
  const spread = samples.reduce((sum, { atS }) => sum + (atS - atMean) ** 2, 0);
  return samples.reduce((sum, each) => sum + (each.atS - atMean) * (value(each) - valueMean), 0) / spread;
}

test(`${seconds} s of mixed load with faults (seed ${seed})`, async (context) => {
  const began = Date.now();
  const end = began + seconds * 1000;
  const [samples] = await Promise.all([sampling(began, end), purges(end), ...Array.from({ length: clients }, (_, number) => client(number, end))]);
  const memory = slope(samples, ({ resident }) => resident);
  const descriptors = slope(samples, (each) => each.descriptors);
  const most = Math.max(...samples.map(({ resident }) => resident));
  context.diagnostic(`answers ${JSON.stringify(counts)}; site asked ${site.requests} times, faults ${JSON.stringify(site.faults)}`);
  context.diagnostic(`memory at most ${most.toFixed(1)} MiB, slope ${(memory * 3600).toFixed(1)} MiB an hour; descriptors slope ${(descriptors * 3600).toFixed(1)} an hour`);
  assert.ok(counts.right > 0 && counts.part > 0 && counts.failed > 0 && counts.refused > 0 && counts.purged > 0, JSON.stringify(counts));
  const evictions = [...(await cluster.metrics(edge, "reelway_edge_store_evictions_total")).values()];
  assert.ok(evictions.some((count) => count > 0), "nothing was evicted: the load is too small for what it shall show");
  const measuredS = samples.at(-1).atS - samples[0].atS;
  assert.ok(seconds < slopeFromSeconds || memory * measuredS < memoryNoiseMiB, `memory grew by ${(memory * measuredS).toFixed(1)} MiB in ${measuredS} s`);
  assert.ok(descriptors * measuredS < descriptorNoise, `descriptors grew by ${(descriptors * measuredS).toFixed(0)} in ${measuredS} s`);
  // A sanitizer that has found something says so by the exit code.
  assert.deepEqual(await edge.stop(), { code: 0, signal: null }, edge.logTail(60));
});
