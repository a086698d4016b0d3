// A cache with many objects whose process is killed with -9 and started again: when the first hit comes, whether
// everything is a hit whose fill had ended a second before, and whether anything fails. Measured from outside, from the
// program's start. In the full size, as figures are taken of it:
//   REELWAY_RESTART_SMALL=1000000 REELWAY_RESTART_SEGMENTS=50000 node --test tests/faults/restart_test.mjs

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Cluster } from "../../tools/cluster.mjs";
import { QuickOrigin, askAll } from "../support/pipelined.mjs";
import { until } from "../support/playing.mjs";

const smallObjects = Number(process.env.REELWAY_RESTART_SMALL ?? 3000);
const segments = Number(process.env.REELWAY_RESTART_SEGMENTS ?? 150);
const smallBytes = 512, segmentBytes = 96_000, batch = 20_000, settledMs = 1000;
// What a small object may weigh in the sixteenth of the budget that is for inline bodies.
const smallWeight = 2048, inlineShare = 16, segmentSlot = 128 << 10;

const state = mkdtempSync(join(process.env.REELWAY_RESTART_STATE ?? tmpdir(), "reelway-restart-"));
let origin, cluster, edge;

const bodyOf = (path) => Buffer.concat([Buffer.from(path), Buffer.alloc((path.startsWith("/small/") ? smallBytes : segmentBytes) - path.length)]);
const stored = async () => (await cluster.metrics(edge, "reelway_edge_store_objects")).get('tier="disk"');

function* numbered(kind, from, to) {
  for (let number = from; number < to; ++number) yield `/${kind}/${number}`;
}

before(async () => {
  origin = await new QuickOrigin((path) => ({ headers: 'Cache-Control: max-age=86400\r\nETag: "1"\r\n', body: bodyOf(path) })).listen();
  const diskBytes = smallObjects * smallWeight * inlineShare + segments * segmentSlot * 2 + (256 << 20);
  cluster = await new Cluster({ bin: process.env.REELWAY_BIN, state, edges: 1, edgeSettings: {
    "site.upstreams": [origin.url], "store.memory_bytes": "256MiB", "store.disk_bytes": `${Math.ceil(diskBytes / 1048576)}MiB`,
    "log.level": "warn", access_log: "" } }).start();
  edge = cluster.edges[0];
});

after(async () => {
  await cluster?.stop();
  origin?.close();
  rmSync(state, { recursive: true, force: true });
});

// In batches, each of which is on disk before the next: what is asked for faster than the disk writes is not kept.
async function fill(kind, count) {
  for (let from = 0; from < count; from += batch) {
    const before = await stored();
    const to = Math.min(count, from + batch);
    await askAll(edge.ready.public, numbered(kind, from, to), (path, head) => assert.match(head, /^HTTP\/1.1 200 /, path));
    await until(`${to} of ${kind} are on disk`, async () => (await stored()) >= before + to - from, 120_000);
  }
}

// New objects until the edge dies: those whose answer was whole, and when.
async function fillUntilKilled() {
  const ended = new Map();
  let number = 0;
  const paths = { next: () => ({ value: `/small/${smallObjects + number++}` }) };
  const filling = askAll(edge.ready.public, paths, (path) => ended.set(path, Date.now()), { connections: 4, depth: 1 }).catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, settledMs * 3));
  await edge.kill();
  const killed = Date.now();
  await filling;
  return [...ended].filter(([, at]) => at < killed - settledMs).map(([path]) => path);
}

test(`${smallObjects} small objects and ${segments} segments outlive kill -9`, async (context) => {
  await fill("small", smallObjects);
  await fill("segment", segments);
  const late = await fillUntilKilled();
  assert.ok(late.length > 0, "nothing was filled while the process lived");

  const askedBefore = origin.requests;
  const began = performance.now();
  edge = await cluster.startEdge(1);
  const readyMs = performance.now() - began;
  const counts = { hits: 0, wrong: 0 };
  const wrong = [];
  const check = (path, head, body) => {
    const right = head.startsWith("HTTP/1.1 200 ") && head.includes("; hit") && (body.length === 0 || body.equals(bodyOf(path)));
    if (right) return ++counts.hits;
    if (++counts.wrong <= 5) wrong.push(`${path}: ${head.replaceAll("\r\n", " | ")}`);
  };
  await askAll(edge.ready.public, [`/segment/${segments >> 1}`].values(), check, { connections: 1 });
  const firstHitMs = performance.now() - began;
  await askAll(edge.ready.public, numbered("small", 0, smallObjects), check, { method: "HEAD" });
  await askAll(edge.ready.public, numbered("segment", 0, segments), check, { connections: 4, depth: 1 });
  await askAll(edge.ready.public, late.values(), check);
  const allMs = performance.now() - began;
  await until("the index is loaded", async () => (await cluster.metrics(edge, "reelway_edge_store_disks")).get('state="loading"') === 0, 120_000);
  const corrupt = (await cluster.metrics(edge, "reelway_edge_store_corrupt_total")).get("");
  context.diagnostic(`ready after ${readyMs.toFixed(0)} ms, first hit ${firstHitMs.toFixed(0)} ms after the start; ${counts.hits} hits of all by ${allMs.toFixed(0)} ms; ` +
    `${late.length} of them had been filled while the process was about to die`);
  assert.deepEqual({ ...counts, corrupt, fetched: origin.requests - askedBefore }, { hits: 1 + smallObjects + segments + late.length, wrong: 0, corrupt: 0, fetched: 0 }, wrong.join("\n"));
});
