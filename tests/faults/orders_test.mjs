// Ten thousand orders by fifty clients that repeat whatever stays unanswered, while the origin is killed twenty times:
// every acknowledged order is there exactly once, none that was refused is, and each unknown one at most once.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Cluster } from "../../tools/cluster.mjs";
import { makeFilm } from "../support/films.mjs";

const orders = 10_000, clients = 50, kills = 20;
const repeatsMax = 200;  // of one order; each pauses a little
const state = mkdtempSync(join(tmpdir(), "reelway-orders-"));
let cluster;

before(async () => {
  cluster = await new Cluster({ bin: process.env.REELWAY_BIN, state, edges: 0 }).start();
  cluster.cli("ingest", makeFilm(state, { seconds: 4, width: 320, height: 240 }), "--title", "film");
});

after(async () => {
  await cluster?.stop();
  rmSync(state, { recursive: true, force: true });
});

// One attempt: the status and body, or null when no whole answer came.
function attempt(agent, body) {
  return new Promise((resolve) => {
    const text = JSON.stringify(body);
    const [host, port] = cluster.ports.api.split(":");
    const request = http.request({ agent, host, port, method: "POST", path: "/v1/orders", timeout: 10_000, headers: { ...cluster.bearer("api"), "Content-Type": "application/json", "Content-Length": text.length } }, (answer) => {
      let received = "";
      answer.on("data", (piece) => { received += piece; });
      answer.on("end", () => resolve({ status: answer.statusCode, text: received }));
      answer.on("error", () => resolve(null));
    });
    request.on("timeout", () => request.destroy());
    request.on("error", () => resolve(null));
    request.end(text);
  });
}

test("every acknowledged order is there exactly once", async () => {
  const outcome = new Map();  // account -> { result, entitlement, answers }
  let next = 0, done = 0;
  const agent = new http.Agent({ keepAlive: true, maxSockets: clients });
  // A tenth of the orders is for a title that does not exist: they must be refused, and stay absent.
  const client = async () => {
    while (next < orders) {
      const number = next++;
      const account = `account-${number}`;
      const order = { account, title: number % 10 === 9 ? "no-such-film" : "film", kind: "rent", idempotency_key: `key-${number}` };
      let result = "unknown", answers = new Set();
      for (let repeat = 0; repeat < repeatsMax; ++repeat) {
        const answer = await attempt(agent, order);
        if (answer && answer.status < 500) {
          answers.add(answer.text);
          result = answer.status === 201 || answer.status === 200 ? "ok" : "refused";
          // Now and then an order that was acknowledged is sent once more, as a client does that lost the answer.
          if (result === "ok" && number % 7 === 0 && answers.size === 1 && repeat === 0) continue;
          break;
        }
        await new Promise((wait) => setTimeout(wait, 20));
      }
      outcome.set(account, { result, answers });
      ++done;
    }
  };
  const killer = async () => {
    for (let round = 1; round <= kills; ++round) {
      while (done < (orders * round) / (kills + 1) && done < orders) await new Promise((wait) => setTimeout(wait, 5));
      await cluster.origin.kill();
      await cluster.startOrigin();
    }
  };
  await Promise.all([...Array.from({ length: clients }, client), killer()]);
  agent.destroy();
  const counts = { ok: 0, refused: 0, unknown: 0 };
  for (const [account, { result, answers }] of outcome) {
    counts[result] += 1;
    assert.ok(answers.size <= 1, `${account}: one order, ${answers.size} different answers`);
    const listed = await cluster.api("GET", `/v1/accounts/${account}/entitlements`);
    const present = listed.status === 200 ? listed.body.entitlements : [];
    if (result === "ok") {
      assert.equal(present.length, 1, `${account}: ${JSON.stringify(listed.body)}`);
      assert.equal(present[0].entitlement, JSON.parse([...answers][0]).entitlement);
    }
    if (result === "refused") assert.equal(present.length, 0, account);
    if (result === "unknown") assert.ok(present.length <= 1, account);
  }
  assert.equal(counts.ok + counts.refused + counts.unknown, orders);
  assert.ok(counts.refused >= orders / 10, JSON.stringify(counts));
  console.log(JSON.stringify({ ...counts, kills }));
});
