// One hundred clients ask at once for one cold segment: one fetch, equal bytes, and the first byte reaches everyone
// before the fill has ended. A gate between edge and origin makes "before" a fact, not a matter of timing.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Cluster } from "../../tools/cluster.mjs";
import { makeFilm } from "../support/films.mjs";
import { GateProxy } from "../support/gate_proxy.mjs";
import { get, objectsOf, sha256, until } from "../support/playing.mjs";

const clients = 100;
const state = mkdtempSync(join(tmpdir(), "reelway-collapse-"));
let cluster, proxy, master;

before(async () => {
  cluster = new Cluster({ bin: process.env.REELWAY_BIN, state, edges: 1 });
  await cluster.startOrigin();
  proxy = await new GateProxy(cluster.ports.media).listen();
  cluster.edgeSettings = { "upstream.url": `http://${proxy.address}` };
  await cluster.start();
  const film = makeFilm(state, { seconds: 6 });
  cluster.cli("ingest", film, "--title", "premiere");
  master = cluster.cli("play-url", "premiere").url;
});

after(async () => {
  await cluster?.stop();
  await proxy?.close();
  rmSync(state, { recursive: true, force: true });
});

// A client that says when its first body byte has come, and in the end what it got.
function ask(url, agent) {
  const client = { firstByte: null, done: null, bytes: 0 };
  client.done = new Promise((resolve, reject) => {
    client.firstByte = new Promise((first) => {
      http.get(url, { agent }, (answer) => {
        const pieces = [];
        answer.on("data", (piece) => { pieces.push(piece); client.bytes += piece.length; first(); });
        answer.on("end", () => resolve({ status: answer.statusCode, cache: answer.headers["cache-status"], body: Buffer.concat(pieces) }));
        answer.on("error", reject);
      }).on("error", reject);
    });
  });
  return client;
}

const segmentFetches = async () => {
  const counts = await cluster.metrics("origin", "reelway_origin_media_requests_total");
  return [...counts].filter(([labels]) => labels.includes("segment")).reduce((sum, [, value]) => sum + value, 0);
};

test("a cold segment is fetched once, and read while it is being filled", async () => {
  const segment = (await objectsOf(master)).find((url) => url.includes("/video/360/") && url.endsWith("/0.m4s"));
  const before_ = await segmentFetches();
  proxy.cutAll();
  proxy.shut(20_000);
  const agent = new http.Agent({ maxSockets: clients, keepAlive: false });
  const asked = Array.from({ length: clients }, () => ask(segment, agent));
  await Promise.all(asked.map((client) => client.firstByte));
  assert.ok(asked.every((client) => client.bytes > 0 && client.bytes < 20_000), "all have begun, none has ended");
  proxy.open();
  const answers = await Promise.all(asked.map((client) => client.done));
  assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [200]);
  assert.equal(new Set(answers.map((answer) => sha256(answer.body))).size, 1);
  assert.equal((await segmentFetches()) - before_, 1);
  const direct = Buffer.from(await (await cluster.media(new URL(segment).pathname.replace(/^\/t\/[^/]+/, ""))).arrayBuffer());
  assert.equal(sha256(answers[0].body), sha256(direct));
  assert.equal(answers.filter((answer) => /fwd=miss; stored/.test(answer.cache)).length, 1);
  assert.equal(answers.filter((answer) => /collapsed/.test(answer.cache)).length, clients - 1);
});

test("when the fill breaks off, nobody gets a body that looks complete, and the next request fetches anew", async () => {
  const segment = (await objectsOf(master)).find((url) => url.includes("/video/240/") && url.endsWith("/0.m4s"));
  proxy.cutAll();
  proxy.shut(10_000);
  const agent = new http.Agent({ maxSockets: clients, keepAlive: false });
  const asked = Array.from({ length: 10 }, () => ask(segment, agent));
  await Promise.all(asked.map((client) => client.firstByte));
  proxy.cutAll();
  const ends = await Promise.allSettled(asked.map((client) => client.done));
  assert.deepEqual([...new Set(ends.map((end) => end.status))], ["rejected"]);
  proxy.open();
  const whole = await until("the segment is served again", async () => {
    const answer = await get(segment);
    return answer.status === 200 ? answer : null;
  });
  const direct = Buffer.from(await (await cluster.media(new URL(segment).pathname.replace(/^\/t\/[^/]+/, ""))).arrayBuffer());
  assert.equal(sha256(whole.body), sha256(direct));
});
