// Who decides what plays: versions that wait for a person, back to the former one, and a title that is taken off at
// every edge, whatever is in their caches.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Cluster } from "../../tools/cluster.mjs";
import { makeFilm } from "../support/films.mjs";
import { get, objectsOf, until } from "../support/playing.mjs";
import { Renting, answerOf, onEdge } from "../support/renting.mjs";

const state = mkdtempSync(join(tmpdir(), "reelway-publishing-"));
let cluster, film, renting;

before(async () => {
  cluster = await new Cluster({ bin: process.env.REELWAY_BIN, state, edges: 2, originSettings: { "publish.approval": "person" } }).start();
  film = makeFilm(state, { seconds: 4, width: 320, height: 180 });
  renting = new Renting(cluster);
});

after(async () => {
  await cluster?.stop();
  rmSync(state, { recursive: true, force: true });
});

const refusal = (...args) => {
  try {
    cluster.cli(...args);
  } catch (error) {
    return error.answer?.code ?? error.message;
  }
  return "done";
};
// While the command runs nothing here does, so connections may have been closed unnoticed meanwhile.
const ingest = async (...args) => {
  const made = cluster.cli("ingest", film, "--title", "film", ...args);
  for (const edge of cluster.edges) {
    await until("it is noticed", async () => get(`http://${edge.ready.public}/`).then(() => true, () => false));
  }
  return made;
};
const everywhere = async (url, wanted) => {
  for (const edge of cluster.edges) await until(`${edge.name} says ${wanted}`, async () => (await answerOf(onEdge(url, edge))) === wanted);
};
const title = () => cluster.cli("titles", "film");

test("a version waits until somebody approves it, and staff can watch it before", async () => {
  const made = await ingest();
  assert.equal(made.state, "ready");
  assert.match(made.job, /./);
  assert.equal(refusal("play-url", "film"), "title_not_published");
  assert.equal(refusal("publish", "film", "--by", "ann"), "approval_needed");
  assert.equal(refusal("rent", "ada", "film"), "title_not_published");
  assert.equal((await cluster.media("/film/v1/master.m3u8")).status, 404);

  const preview = cluster.cli("play-url", "film", "--version", "v1");
  assert.equal(preview.preview, true);
  assert.ok(Date.parse(preview.expires_at) - Date.now() <= 4 * 3600 * 1000 + 1000);
  for (const url of await objectsOf(preview.url)) assert.equal(await answerOf(url), "200", url);
  assert.equal(refusal("play-url", "film", "--version", "v1", "--ttl", "25h"), "http_bad_request");
  assert.equal(refusal("play-url", "film", "--version", "v2"), "version_not_found");

  const approved = cluster.cli("approve", "film", "--by", "ann");
  assert.deepEqual([approved.version, approved.state, approved.changed], ["v1", "published", true]);
  assert.equal(cluster.cli("approve", "film", "v1", "--by", "ben").changed, false);
  const { versions, history } = title();
  assert.equal(versions[0].decision.by, "ann");
  assert.deepEqual([history[0].action, history[0].version, history[0].by], ["approve", "v1", "ann"]);
  const play = cluster.cli("play-url", "film");
  assert.equal(play.preview, false);
  for (const url of await objectsOf(play.url)) assert.equal(await answerOf(url), "200", url);
});

test("what is in an edge's cache for a preview is no viewer's", async () => {
  assert.equal((await ingest("--new-version")).state, "ready");
  const preview = cluster.cli("play-url", "film", "--version", "v2");
  const seen = await objectsOf(preview.url);
  for (const url of seen) assert.equal(await answerOf(url), "200", url);
  const play = cluster.cli("play-url", "film");
  assert.equal(play.version, "v1");
  for (const url of seen) {
    assert.equal(await answerOf(url.replace(preview.token, play.token)), "404 version_not_found", url);
    assert.equal(await answerOf(url.replace("/film/v2/", "/film/v1/")), "403 token_other_title", url);
  }
});

test("a version that is rejected stays unseen", async () => {
  assert.equal(refusal("reject", "film", "v1", "--by", "ann", "--reason", "late"), "version_in_use");
  const preview = cluster.cli("play-url", "film", "--version", "v2");
  assert.equal(cluster.cli("reject", "film", "v2", "--by", "ann", "--reason", "another cut").changed, true);
  assert.equal(cluster.cli("reject", "film", "v2", "--by", "ann", "--reason", "another cut").changed, false);
  assert.equal(refusal("approve", "film", "v2", "--by", "ann"), "version_not_ready");
  assert.equal(refusal("play-url", "film", "--version", "v2"), "version_not_ready");
  assert.equal((await cluster.media("/film/v2/master.m3u8", "edge-1", { headers: { "Reelway-View": "p2" } })).status, 404);
  assert.ok(preview.url);
  const version = title().versions[1];
  assert.equal(version.state, "failed");
  assert.match(version.error.detail, /rejected by ann: another cut/);
  assert.equal(title().version, "v1");
});

test("back to the former version, in whose place sessions go on", async () => {
  assert.equal((await ingest("--new-version")).state, "ready");
  cluster.cli("approve", "film", "v3", "--by", "ann");
  const running = cluster.cli("play-url", "film");
  assert.equal(running.version, "v3");
  const back = cluster.cli("rollback", "film", "--by", "ben", "--reason", "wrong sound");
  assert.deepEqual([back.version, back.changed], ["v1", true]);
  assert.deepEqual([cluster.cli("rollback", "film", "--by", "ben").version, cluster.cli("rollback", "film", "--by", "ben").changed], ["v1", false]);
  assert.equal(cluster.cli("play-url", "film").version, "v1");
  for (const url of await objectsOf(running.url)) assert.equal(await answerOf(url), "200", url);
  const { history, versions } = title();
  assert.deepEqual([history.at(-1).action, history.at(-1).reason], ["roll_back", "wrong sound"]);
  assert.ok(versions[2].replaced_at && !versions[0].replaced_at);
  assert.equal(refusal("rollback", "film", "--to", "v2", "--by", "ben"), "version_not_ready");
  assert.equal(cluster.cli("publish", "film", "v3", "--by", "ben").version, "v3");
  assert.equal(cluster.cli("rollback", "film", "--to", "v1", "--by", "ben").version, "v1");
});

test("unpublished: off at both edges, for what they have cached too, and on again", async () => {
  await renting.order("ada", "film");
  const { master_url: rented } = await renting.playback("ada", "film");
  const { url: plain } = cluster.cli("play-url", "film");
  const urls = [];
  for (const master of [rented, plain]) {
    const objects = await objectsOf(master);
    for (const edge of cluster.edges) for (const url of objects) assert.equal(await answerOf(onEdge(url, edge)), "200", url);
    urls.push(...objects);
  }
  const segment = urls.find((url) => url.endsWith("/0.m4s"));
  for (const edge of cluster.edges) assert.match((await get(onEdge(segment, edge))).cache, /; hit/);

  assert.equal(refusal("unpublish", "film", "--by", "ann"), "usage");
  const off = cluster.cli("unpublish", "film", "--by", "ann", "--reason", "the licence was withdrawn");
  assert.deepEqual([off.state, off.changed], ["unpublished", true]);
  // At the origin from the answer on.
  assert.equal((await cluster.media("/film/v1/master.m3u8")).status, 409);
  assert.equal(refusal("play-url", "film"), "title_not_published");
  assert.equal(await renting.refused("ada", "film"), "409 title_not_published");
  for (const url of urls) await everywhere(url, "409 title_not_published");
  assert.equal(cluster.cli("unpublish", "film", "--by", "ann", "--reason", "again").changed, false);

  // A restart of an edge, and an origin that is away, bring nothing back.
  await cluster.edges[0].kill();
  await cluster.origin.stop();
  await cluster.startEdge(1);
  await until("the edge answers", async () => get(onEdge(segment, cluster.edges[0])).then(() => true, () => false));
  for (const edge of cluster.edges) assert.doesNotMatch(await answerOf(onEdge(segment, edge)), /^200/);
  await cluster.startOrigin();
  await cluster.waitForEdge(cluster.edges[0]);
  for (const url of urls) await everywhere(url, "409 title_not_published");
  assert.equal((await cluster.media("/film/v1/master.m3u8")).status, 409);

  // Staff may still look, and a new version does not put the title on.
  assert.equal((await ingest("--new-version")).state, "ready");
  const preview = cluster.cli("play-url", "film", "--version", "v4");
  assert.equal(await answerOf(preview.url), "200");
  cluster.cli("approve", "film", "v4", "--by", "ann");
  assert.equal(title().state, "unpublished");

  const on = cluster.cli("publish", "film", "v1", "--by", "ann");
  assert.deepEqual([on.state, on.version], ["published", "v1"]);
  for (const url of urls) await everywhere(url, "200");
  assert.deepEqual(title().history.slice(-3).map((event) => event.action), ["unpublish", "approve", "publish"]);
});

test("an edge that begins without a copy learns by its snapshot what is off", async () => {
  cluster.cli("unpublish", "film", "--by", "ann", "--reason", "for a moment");
  await cluster.edges[1].stop();
  rmSync(join(state, "edge-2"), { recursive: true, force: true });
  await cluster.startEdge(2);
  await cluster.waitForEdge(cluster.edges[1]);
  cluster.cli("publish", "film", "--by", "ann");
  const { url } = cluster.cli("play-url", "film");
  await everywhere(url, "200");
  cluster.cli("unpublish", "film", "--by", "ann", "--reason", "for good");
  await everywhere(url, "409 title_not_published");
  for (const edge of cluster.edges) {
    const repairs = await cluster.metrics(edge, "reelway_edge_replica_repairs_total");
    assert.equal([...repairs.values()].reduce((sum, value) => sum + value, 0), 0);
  }
});

test("an end of the change stream that speaks another format is told so", async () => {
  const answer = await cluster.media("/.reelway/v1/replica/snapshot?shard=0");
  assert.equal(answer.status, 400);
  assert.match((await answer.json()).error.detail, /format 1 .* speaks format 2/);
});
