// A film goes in; what comes out of the edges is, frame for frame and sample for sample, what the mezzanine holds.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Cluster } from "../../tools/cluster.mjs";
import { audioSamples, makeFilm, videoFrames } from "../support/films.mjs";
import { get, objectsOf, sha256, until } from "../support/playing.mjs";

const bin = process.env.REELWAY_BIN;
const state = mkdtempSync(join(tmpdir(), "reelway-e2e-"));
let cluster, master, edgeUrls;

before(async () => {
  cluster = await new Cluster({ bin, state }).start();
  const film = makeFilm(state, { seconds: 15, rate: 25 });
  cluster.cli("ingest", film, "--title", "first-film", "--name", "The First Film");
  const play = cluster.cli("play-url", "first-film");
  master = play.url;
  edgeUrls = cluster.edges.map((edge) => `http://${edge.ready.public}${new URL(master).pathname}`);
});

after(async () => {
  await cluster?.stop();
  rmSync(state, { recursive: true, force: true });
});

test("titles lists the film as published", () => {
  const { titles } = cluster.cli("titles");
  assert.equal(titles.length, 1);
  assert.equal(titles[0].state, "published");
});

test("every variant decodes without a word, frame for frame as the mezzanine", () => {
  const detail = cluster.cli("titles", "first-film");
  const version = detail.versions[0];
  const videos = version.renditions.filter((rendition) => rendition.kind === "video");
  assert.deepEqual(videos.map((rendition) => rendition.height), [360, 240]);
  const folder = join(state, "origin", "titles", "first-film", version.version);
  for (const [index, rendition] of videos.entries()) {
    const run = spawnSync("ffmpeg", ["-v", "error", "-nostdin", "-i", master, "-map", `0:v:${index}`, "-map", "0:a:0", "-f", "null", "-"], { encoding: "utf8" });
    assert.equal(run.status, 0);
    assert.equal(run.stdout + run.stderr, "", rendition.id);
    const played = videoFrames(master, index);
    const stored = videoFrames(join(folder, `${rendition.id.replace("/", "-")}.mp4`));
    assert.equal(played.length, 15 * 25);
    assert.deepEqual(played, stored, rendition.id);
  }
  const audio = version.renditions.find((rendition) => rendition.kind === "audio");
  assert.deepEqual(sha256(audioSamples(master)), sha256(audioSamples(join(folder, `${audio.id.replace("/", "-")}.mp4`))));
});

test("either edge gives the same bytes, twice", async () => {
  const objects = await objectsOf(edgeUrls[0]);
  assert.ok(objects.length > 10, `${objects.length} objects`);
  for (const url of objects) {
    const other = url.replace(cluster.edges[0].ready.public, cluster.edges[1].ready.public);
    const answers = [await get(url), await get(url), await get(other), await get(other)];
    assert.deepEqual(answers.map((answer) => answer.status), [200, 200, 200, 200], url);
    assert.equal(new Set(answers.map((answer) => sha256(answer.body))).size, 1, url);
    assert.match(answers[1].cache, /^edge-1; hit/, url);
    assert.match(answers[3].cache, /^edge-2; hit/, url);
    assert.ok(Number(answers[1].headers.get("age")) >= 0);
  }
});

test("ranges, HEAD and conditional requests are answered from the cache", async () => {
  const segment = (await objectsOf(edgeUrls[0])).find((url) => url.endsWith("/0.m4s"));
  const whole = await get(segment);
  const part = await get(segment, { headers: { Range: "bytes=10-19" } });
  assert.equal(part.status, 206);
  assert.equal(part.headers.get("content-range"), `bytes 10-19/${whole.body.length}`);
  assert.deepEqual(part.body, whole.body.subarray(10, 20));
  const head = await get(segment, { method: "HEAD" });
  assert.equal(head.status, 200);
  assert.equal(Number(head.headers.get("content-length")), whole.body.length);
  const same = await get(segment, { headers: { "If-None-Match": whole.headers.get("etag") } });
  assert.equal(same.status, 304);
  const beyond = await get(segment, { headers: { Range: `bytes=${whole.body.length}-` } });
  assert.equal(beyond.status, 416);
});

test("CORS is answered at the edge and never splits the cache", async () => {
  const segment = (await objectsOf(edgeUrls[0])).find((url) => url.endsWith("/1.m4s"));
  await get(segment);
  const preflight = await get(segment, { method: "OPTIONS", headers: { Origin: "http://player.example", "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "range" } });
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get("access-control-allow-origin"), "http://player.example");
  const answer = await get(segment, { headers: { Origin: "http://player.example" } });
  assert.equal(answer.headers.get("access-control-allow-origin"), "http://player.example");
  assert.match(answer.cache, /; hit/);
});

test("explain says what the edge would do", async () => {
  const explained = cluster.cli("explain", master);
  assert.equal(explained.token.title, "first-film");
  assert.equal(explained.edges.length, 2);
  assert.match(explained.edges[0].would, /^hit/);
});

test("the media port refuses whoever is no edge", async () => {
  const path = "/first-film/v1/master.m3u8";
  const base = `http://${cluster.ports.media}`;
  for (const headers of [{}, { "Reelway-Edge": "edge-1" }, { ...cluster.bearer("api"), "Reelway-Edge": "edge-1" }, { ...cluster.bearer("edge-1"), "Reelway-Edge": "edge-2" }]) {
    const refused = await get(base + path, { headers });
    assert.equal(refused.status, 403);
    assert.equal(refused.error, "not_an_edge");
  }
  assert.equal((await cluster.media(path)).status, 200);
  assert.equal((await get(`${base}/.reelway/v1/keys`)).status, 403);
});

test("admin and API ports need a credential, even on loopback", async () => {
  for (const url of [`http://${cluster.edges[0].ready.admin}/metrics`, `http://${cluster.edges[0].ready.admin}/v1/state`, `http://${cluster.ports.api}/v1/titles`, `http://${cluster.ports.api}/metrics`]) {
    assert.equal((await get(url)).error, "credential_missing", url);
    assert.equal((await get(url, { headers: { Authorization: "Bearer wrong-wrong-wrong-wrong" } })).error, "credential_wrong", url);
  }
});

test("a restarted edge has everything still, without asking the origin", async () => {
  const edge = cluster.edges[0];
  const objects = await objectsOf(edgeUrls[0]);
  const bytes = new Map();
  for (const url of objects) bytes.set(url, sha256((await get(url)).body));
  await edge.stop();
  const before_ = await cluster.metrics("origin", "reelway_origin_media_requests_total");
  await cluster.startEdge(1);
  await cluster.waitForEdge(cluster.edges[0]);
  for (const url of objects) {
    const answer = await get(url);
    assert.match(answer.cache ?? "", /^edge-1; hit/, `${url} ${answer.status}`);
    assert.equal(sha256(answer.body), bytes.get(url), url);
  }
  // Keys are polled each second, and the edge takes up the stream of rentals; what must not be asked for is any object.
  const ofObjects = (counts) => [...counts].filter(([labels]) => /"(multivariant|media_playlist|init|segment|other)"/.test(labels));
  assert.equal(ofObjects(before_).length, 5);
  assert.deepEqual(ofObjects(await cluster.metrics("origin", "reelway_origin_media_requests_total")), ofObjects(before_));
});

test("a draining edge says so and ends by itself", async () => {
  const edge = await cluster.startEdge(2).catch(() => cluster.edges[1]);
  const answer = await fetch(`http://${edge.ready.admin}/v1/drain`, { method: "POST", headers: cluster.bearer("admin") });
  assert.equal(answer.status < 300, true);
  const { code } = await edge.exited;
  assert.equal(code, 0);
  await until("the second edge is back", async () => cluster.startEdge(2).then(() => true, () => false));
});
