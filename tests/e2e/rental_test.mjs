// The rental decides: every way in which it can say no has a code of its own, at the origin for a new playback and at
// the edge for each request of one that runs. Times here are short offers, never a waiting for real rental windows.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Cluster } from "../../tools/cluster.mjs";
import { makeFilm } from "../support/films.mjs";
import { get, objectsOf, until } from "../support/playing.mjs";
import { Renting, answerOf, onEdge } from "../support/renting.mjs";

const state = mkdtempSync(join(tmpdir(), "reelway-rental-"));
let cluster, renting;

before(async () => {
  cluster = await new Cluster({ bin: process.env.REELWAY_BIN, state, edges: 2 }).start();
  cluster.cli("ingest", makeFilm(state, { seconds: 8, width: 1280, height: 720 }), "--title", "film");
  renting = new Renting(cluster);
});

after(async () => {
  await cluster?.stop();
  rmSync(state, { recursive: true, force: true });
});

const edgesRefuse = async (url, wanted) => {
  for (const edge of cluster.edges) await until(`${edge.name} says ${wanted}`, async () => (await answerOf(onEdge(url, edge))) === wanted);
};
const fetches = async (kind) => {
  const counts = await cluster.metrics("origin", "reelway_origin_media_requests_total");
  return [...counts].filter(([labels]) => labels.includes(kind)).reduce((sum, [, value]) => sum + value, 0);
};

test("a rental plays at either edge at once, also where the replica may still be behind", async () => {
  await renting.order("ada", "film");
  const playback = await renting.playback("ada", "film");
  for (const edge of cluster.edges) {
    for (const url of await objectsOf(onEdge(playback.master_url, edge))) assert.equal(await answerOf(url), "200", url);
  }
  assert.equal(playback.view_until_s - playback.first_play_s, 48 * 3600);
  assert.equal(playback.heartbeat_s, 60);
});

test("an account that did not rent", async () => {
  assert.equal(await renting.refused("nobody", "film"), "403 entitlement_missing");
});

test("orders that cannot be: unknown title, bad account, one key twice, held already", async () => {
  const order = (body) => cluster.api("POST", "/v1/orders", { account: "bob", title: "film", kind: "rent", idempotency_key: "k1", ...body });
  assert.equal((await order({ title: "no-such-film" })).body.error.code, "title_not_found");
  assert.equal((await order({ account: "a/b" })).body.error.code, "account_id_invalid");
  assert.equal((await order({ offer: "no-such-offer" })).body.error.code, "offer_not_found");
  assert.equal((await cluster.api("GET", "/v1/accounts/bob/entitlements")).body.error.code, "account_not_found");
  const first = await order({});
  assert.equal(first.status, 201);
  assert.deepEqual((await order({})).body, first.body);
  assert.equal((await order({ kind: "buy" })).body.error.code, "idempotency_key_reused");
  assert.equal((await order({ idempotency_key: "k2" })).body.error.code, "already_entitled");
});

test("a rental past its window to start", async () => {
  await renting.offer({ title: "film", name: "one-second", start_window_s: 1 });
  await renting.order("late", "film", { offer: "one-second" });
  // Asking for a playback before would start it.
  await until("the window has passed", async () => (await cluster.api("GET", "/v1/accounts/late/entitlements")).body.entitlements[0].standing.startsWith("ended"));
  assert.equal(await renting.refused("late", "film"), "403 rental_window_passed");
});

test("a rental past its play time, also for a playback that runs", async () => {
  await renting.offer({ title: "film", name: "two-seconds", play_window_s: 2 });
  await renting.order("slow", "film", { offer: "two-seconds" });
  const { master_url } = await renting.playback("slow", "film");
  assert.equal(await answerOf(master_url), "200");
  // A token lives no longer than its rental, so either may be found first.
  await until("the play time has passed", async () => (await answerOf(master_url)).startsWith("403"));
  assert.match(await answerOf(master_url), /^403 (rental_play_time_passed|token_expired)$/);
  assert.equal(await renting.refused("slow", "film"), "403 rental_play_time_passed");
});

test("revoked: at the origin at once, at both edges as the change arrives", async () => {
  const { entitlement } = await renting.order("eve", "film");
  const { master_url } = await renting.playback("eve", "film");
  for (const edge of cluster.edges) assert.equal(await answerOf(onEdge(master_url, edge)), "200");
  const segment = (await objectsOf(master_url)).find((url) => url.endsWith("/0.m4s"));
  await renting.revoke(entitlement);
  assert.equal(await renting.refused("eve", "film"), "403 entitlement_revoked");
  await edgesRefuse(master_url, "403 entitlement_revoked");
  await edgesRefuse(segment, "403 entitlement_revoked");
  assert.deepEqual((await renting.revoke(entitlement)).state, "revoked");
});

test("as many streams as were rented, and a heartbeat that ends one frees it", async () => {
  await renting.order("family", "film");
  const tv = await renting.playback("family", "film", "tv");
  await renting.playback("family", "film", "tablet");
  assert.equal(await renting.refused("family", "film", "phone"), "403 stream_limit_reached");
  assert.equal((await renting.playback("family", "film", "tv")).session, tv.session, "the same device keeps its slot");
  const ended = await fetch(`${tv.heartbeat_url}?ended=1&position_s=5`, { method: "POST" });
  assert.equal(ended.status, 200, await ended.text());
  const phone = await renting.playback("family", "film", "phone");
  assert.equal(phone.resume_s, 5);
});

test("two hundred devices press play at once: one clock, and no more streams than were rented", async () => {
  await renting.offer({ title: "film", name: "crowd", streams_max: 200 });
  for (const [account, offer, limit] of [["crowd", "crowd", 200], ["pair", "standard", 2]]) {
    await renting.order(account, "film", { offer });
    const answers = await Promise.all(Array.from({ length: 200 }, (_, number) =>
      cluster.api("POST", "/v1/playback", { account, title: "film", device: `device-${number}` })));
    const granted = answers.filter((answer) => answer.status === 200);
    for (const answer of answers) if (answer.status !== 200) assert.equal(answer.body.error.code, "stream_limit_reached");
    assert.equal(granted.length, limit);
    assert.equal(new Set(granted.map((answer) => `${answer.body.first_play_s} ${answer.body.view_until_s}`)).size, 1);
    assert.equal(new Set(granted.map((answer) => answer.body.session)).size, limit);
  }
});

test("a heartbeat renews the token without a break", async () => {
  await renting.order("keen", "film");
  const playback = await renting.playback("keen", "film");
  const answer = await fetch(`${playback.heartbeat_url}?position_s=7`, { method: "POST" });
  const renewed = await answer.json();
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("cache-control"), "no-store");
  const url = new URL(renewed.path, playback.master_url).href;
  assert.equal(await answerOf(url), "200");
  assert.equal(await answerOf(playback.master_url), "200");
  assert.equal((await fetch(`${playback.heartbeat_url}?position_s=x`, { method: "POST" })).status, 400);
  assert.equal((await fetch(playback.heartbeat_url)).status, 405);
});

test("a viewer of a lower offer gets neither a line nor a segment of a higher rendition, and shares what is cached", async () => {
  await renting.offer({ name: "sd", max_height: 480 });
  await renting.order("rich", "film");
  await renting.order("thrifty", "film", { offer: "sd" });
  const [edge] = cluster.edges;
  const hd = onEdge((await renting.playback("rich", "film")).master_url, edge);
  const sd = onEdge((await renting.playback("thrifty", "film")).master_url, edge);
  const heights = async (url) => [...(await get(url)).body.toString().matchAll(/^video\/(\d+)/gm)].map((match) => Number(match[1]));
  assert.ok(Math.max(...(await heights(hd))) === 720);
  assert.ok(Math.max(...(await heights(sd))) <= 480);
  assert.ok((await heights(sd)).length > 0);
  for (const file of ["video/720/media.m3u8", "video/720/init.mp4", "video/720/0.m4s", "ts/video/720/media.m3u8", "ts/video/720/0.ts"]) {
    assert.equal(await answerOf(hd.replace("master.m3u8", file)), "200");
    assert.equal(await answerOf(sd.replace("master.m3u8", file)), "403 rendition_not_in_offer");
  }
  const height = Math.max(...(await heights(sd)));
  const shared = (url) => url.replace("master.m3u8", `video/${height}/1.m4s`);
  const before_ = await fetches("segment");
  const [first, second] = [await get(shared(hd)), await get(shared(sd))];
  assert.equal(first.status, 200);
  assert.ok(first.body.equals(second.body));
  assert.match(second.cache, /; hit/);
  assert.equal((await fetches("segment")) - before_, first.cache.includes("fwd=miss") ? 1 : 0);
});

test("the operator sees it: entitlements, and edges in step with the origin", async () => {
  const { entitlements } = cluster.cli("entitlements", "family");
  assert.equal(entitlements.length, 1);
  const { edges } = await until("both edges are in step", () => {
    const answer = cluster.cli("edges");
    return answer.edges.length === 2 && answer.edges.every((edge) => edge.in_step) ? answer : null;
  });
  for (const edge of edges) assert.ok(edge.staleness_ms < 5000, JSON.stringify(edge));
});
