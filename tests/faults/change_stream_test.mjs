// The change stream is cut a hundred times at random bytes, and the edge killed twenty times, while orders and
// revocations come in at some two hundred a second: at the end the edge's digest is the origin's, every change arrived,
// and none was applied twice.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Cluster } from "../../tools/cluster.mjs";
import { CuttingProxy } from "../support/cutting_proxy.mjs";
import { makeFilm } from "../support/films.mjs";
import { until } from "../support/playing.mjs";
import { randomFrom } from "../support/random.mjs";
import { Renting } from "../support/renting.mjs";

const cuts = 100, kills = 20, writesPerSecond = 200;
const seed = Number(process.env.REELWAY_SEED ?? Date.now() % 1_000_000);
const state = mkdtempSync(join(tmpdir(), "reelway-stream-"));
let cluster, proxy, renting;

before(async () => {
  cluster = new Cluster({ bin: process.env.REELWAY_BIN, state, edges: 1 });
  await cluster.startOrigin();
  proxy = await new CuttingProxy(cluster.ports.media).listen();
  cluster.edgeSettings = { "upstream.url": `http://${proxy.address}` };
  await cluster.start();
  cluster.cli("ingest", makeFilm(state, { seconds: 4, width: 320, height: 240 }), "--title", "film");
  renting = new Renting(cluster);
});

after(async () => {
  await cluster?.stop();
  await proxy?.close();
  rmSync(state, { recursive: true, force: true });
});

const replica = async () => {
  const answer = await fetch(`http://${cluster.edges[0].ready.admin}/v1/state`, { headers: cluster.bearer("admin") });
  return (await answer.json()).replica;
};

// Orders, every third of them revoked again, at a steady rate until told to end; resolves to what was acknowledged.
async function write(ended, prefix) {
  const done = { orders: 0, revocations: 0 };
  const running = new Set();
  const one = async (number) => {
    const { entitlement } = await renting.order(`${prefix}-${number}`, "film");
    done.orders += 1;
    if (number % 3 !== 0) return;
    await renting.revoke(entitlement);
    done.revocations += 1;
  };
  // An order and its revocation are two writes, so 3 orders are 4 writes.
  const period = 1000 / (writesPerSecond * 0.75);
  const began = Date.now();
  for (let number = 0; !ended(); ++number) {
    const work = one(number);
    running.add(work);
    work.finally(() => running.delete(work)).catch(() => {});
    const ahead = began + number * period - Date.now();
    if (ahead > 1) await new Promise((wait) => setTimeout(wait, ahead));
    if (running.size > 200) await Promise.race(running);
  }
  await Promise.all(running);
  return done;
}

async function inStep(records) {
  return until("the edge's digest is the origin's", async () => {
    const [edge, { body: fleet }] = [await replica(), await cluster.api("GET", "/v1/edges")];
    return edge.root === fleet.root && edge.records === records && fleet.records === records ? { edge, fleet } : null;
  }, 30_000);
}

let records = 0;

test(`a hundred cuts at random bytes (REELWAY_SEED=${seed})`, async () => {
  const random = randomFrom(seed);
  let ended = false;
  const writing = write(() => ended, "cut");
  for (let cut = 0; cut < cuts; ++cut) {
    await proxy.cutAfterBytes(1 + Math.floor(random() * 3000));
  }
  ended = true;
  const done = await writing;
  records += done.orders;
  const { edge } = await inStep(records);
  assert.equal(proxy.cuts, cuts);
  assert.equal(edge.repairs, 0, "no change was missed: nothing had to be repaired");
  assert.equal(edge.mismatches, 0, "none was applied twice or wrongly");
  assert.equal(edge.changes_skipped, 0, "none came twice");
  assert.equal(edge.gaps, 0);
  assert.equal(edge.snapshots, 1, "every break was resumed from the edge's position");
  console.log(JSON.stringify({ seed, ...done, passed: proxy.passed, reconnects: edge.reconnects, changes: edge.changes }));
});

test(`twenty kills of the edge (REELWAY_SEED=${seed})`, async () => {
  const random = randomFrom(seed + 1);
  let ended = false;
  const writing = write(() => ended, "kill");
  for (let kill = 0; kill < kills; ++kill) {
    await new Promise((wait) => setTimeout(wait, 50 + random() * 400));
    await cluster.edges[0].kill();
    await cluster.startEdge(1);
    await cluster.waitForEdge(cluster.edges[0]);
    const { mismatches, repairs, snapshots } = await replica();
    assert.deepEqual({ mismatches, repairs, snapshots }, { mismatches: 0, repairs: 0, snapshots: 0 }, `after kill ${kill + 1}`);
  }
  ended = true;
  const done = await writing;
  records += done.orders;
  const { edge } = await inStep(records);
  assert.equal(edge.mismatches, 0);
  assert.equal(edge.snapshots, 0);
  console.log(JSON.stringify({ seed, ...done, kills }));
});
