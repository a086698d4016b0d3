// The second copy of films in a bucket, rot and its mending, originals that live in the bucket, against a server that
// verifies every signature.

import assert from "node:assert/strict";
import { appendFileSync, copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { makeFilm } from "../support/films.mjs";
import { S3Server } from "../support/s3_server.mjs";
import { answerOf, reelway, startOrigin, until } from "./importing.mjs";

const keyId = "AKIATESTOFSTORAGE";
const secret = "0123456789abcdef/+of-the-test";
const state = mkdtempSync(join(tmpdir(), "reelway-storage-"));
let server;
let cluster;

const stores = () => ({ archive: { endpoint: server.endpoint, keyId, secret } });
const withCopy = { "storage.copy.store": "archive", "storage.copy.bucket": "films", "storage.copy.prefix": "cinema", "storage.copy.rate": "4GiB", "scrub.rate": "4GiB" };
const pathOf = (title, version, file) => file === "original/source"
  ? join(cluster.state, "origin", "originals", title, version, "source")
  : join(cluster.state, "origin", "titles", title, version, file.replace(/^film\//, ""));
const filesOf = async (title) => (await cluster.api("GET", `/v1/titles/${title}/storage`)).body.versions;
const published = (title, version = "v1") => until(async () => (await cluster.api("GET", `/v1/titles/${title}`)).body.version === version, 120_000);
const copied = (title) => until(async () => (await filesOf(title)).every(({ files }) => files.every(({ copy, place }) => copy || place === "removed")));
const ingest = async (film, title) => {
  await answerOf(cluster, "ingest", film, "--title", title);
  await published(title);
};

function rot(path, ...offsets) {
  const bytes = readFileSync(path);
  for (const offset of offsets) bytes[offset < 0 ? bytes.length + offset : offset] ^= 0x10;
  writeFileSync(path, bytes);
}

async function segments(title, version = "v1") {
  const base = `/${title}/${version}`;
  const master = await (await cluster.media(`${base}/master.m3u8`)).text();
  const playlists = [...master.matchAll(/^[^#\s].*$|URI="([^"]+)"/gm)].map(([line, uri]) => uri ?? line);
  const paths = [];
  for (const playlist of playlists) {
    const text = await (await cluster.media(`${base}/${playlist}`)).text();
    const folder = playlist.replace(/[^/]*$/, "");
    paths.push(...text.split("\n").filter((line) => line && !line.startsWith("#")).map((line) => `${base}/${folder}${line}`));
  }
  return paths;
}

async function bodies(paths) {
  const out = new Map();
  for (const path of paths) {
    const answer = await cluster.media(path);
    out.set(path, { status: answer.status, body: Buffer.from(await answer.arrayBuffer()) });
  }
  return out;
}

before(async () => {
  server = await new S3Server({ keys: { [keyId]: secret }, buckets: ["films", "other"] }).start();
  cluster = await startOrigin({ state, stores: stores(), settings: withCopy });
  await ingest(makeFilm(state, { seconds: 6 }), "sintel");
});
beforeEach(() => { server.fault = () => null; });
after(async () => {
  await cluster?.stop();
  await server?.stop();
  rmSync(state, { recursive: true, force: true });
});

async function restart(settings) {
  await cluster.origin.stop();
  cluster.originSettings = { ...cluster.originSettings, ...settings };
  await cluster.startOrigin();
}

test("what is published is copied to the bucket, byte for byte", async () => {
  await copied("sintel");
  const [{ files }] = await filesOf("sintel");
  assert.ok(files.length >= 5, `${files.length} files`);
  for (const { file, place, sha256, copy } of files) {
    assert.equal(place, "both");
    assert.equal(sha256.length, 64);
    const object = server.buckets.get("films").get(`cinema/sintel/v1/${file}`);
    assert.equal(copy.url, `s3://films/cinema/sintel/v1/${file}`);
    assert.deepEqual(object.read(0, object.size), readFileSync(pathOf("sintel", "v1", file)));
  }
});

test("a bit that rots anywhere is found, and mended byte for byte; viewers get what is right", async () => {
  await copied("sintel");
  const [{ files }] = await filesOf("sintel");
  const right = new Map(files.map(({ file }) => [file, readFileSync(pathOf("sintel", "v1", file))]));
  const paths = await segments("sintel");
  const before = await bodies(paths);
  assert.ok(paths.length >= 2 && [...before.values()].every(({ status }) => status === 200));
  // The origin has all tracks open by now, and all is in memory.
  for (const { file, kind } of files) rot(pathOf("sintel", "v1", file), { track: -2000, index: 100, side: 20 }[kind] ?? 5000);
  const tally = await answerOf(cluster, "scrub", "sintel");
  assert.equal(tally.found, files.length);
  assert.equal(tally.mended, files.length);
  for (const [file, bytes] of right) assert.deepEqual(readFileSync(pathOf("sintel", "v1", file)), bytes, file);
  const after = await bodies(paths);
  for (const [path, { status, body }] of before) {
    assert.equal(after.get(path).status, status, path);
    assert.deepEqual(after.get(path).body, body, path);
  }
  const [{ files: mended }] = await filesOf("sintel");
  assert.ok(mended.every(({ finding }) => finding.mended_at && finding.found_at));
  assert.match((await reelway(cluster, ["storage"], { json: false })).out, /mended .* from the second copy/);
  assert.equal((await answerOf(cluster, "scrub")).found, 0);
  assert.deepEqual(readdirSync(join(cluster.state, "origin", "mending")), []);
});

test("a file that is gone comes back, and so does a copy that is gone", async () => {
  const [{ files }] = await filesOf("sintel");
  const track = files.find(({ kind }) => kind === "track").file;
  const bytes = readFileSync(pathOf("sintel", "v1", track));
  rmSync(pathOf("sintel", "v1", track));
  assert.equal((await answerOf(cluster, "scrub", "sintel")).mended, 1);
  assert.deepEqual(readFileSync(pathOf("sintel", "v1", track)), bytes);
  server.buckets.get("films").delete(`cinema/sintel/v1/${track}`);
  assert.equal((await answerOf(cluster, "scrub", "sintel")).found, 0);
  await restart({});
  await copied("sintel");
  assert.ok(server.buckets.get("films").has(`cinema/sintel/v1/${track}`));
});

test("a copy that is not what was copied mends nothing", async () => {
  const [{ files }] = await filesOf("sintel");
  const { file } = files.find(({ kind }) => kind === "index");
  const bytes = readFileSync(pathOf("sintel", "v1", file));
  const object = server.buckets.get("films").get(`cinema/sintel/v1/${file}`);
  server.put("films", `cinema/sintel/v1/${file}`, Buffer.alloc(object.size, 7));
  rot(pathOf("sintel", "v1", file), 60);
  const tally = await answerOf(cluster, "scrub", "sintel");
  assert.deepEqual([tally.found, tally.mended], [1, 0]);
  const report = await reelway(cluster, ["storage", "sintel"], { json: false });
  assert.match(report.out, /not mended: object_corrupt/);
  server.put("films", `cinema/sintel/v1/${file}`, bytes);
  assert.equal((await answerOf(cluster, "scrub", "sintel")).mended, 1);
  assert.deepEqual(readFileSync(pathOf("sintel", "v1", file)), bytes);
});

for (const forgets of [false, true]) test(`a copy ${forgets ? "begins anew when the bucket forgot it" : "goes on with the missing parts after a kill"}`, async () => {
  const title = forgets ? "forgotten" : "large";
  // A film with 170 MB that belong to nothing: three parts.
  const film = join(state, `${title}.mp4`);
  copyFileSync(makeFilm(state, { seconds: 4 }), film);
  const box = Buffer.alloc(170 << 20, 0x5a);
  box.writeUInt32BE(box.length, 0);
  box.write("free", 4);
  appendFileSync(film, box);
  const parts = () => server.requests.filter(({ key, query }) => key === `cinema/${title}/v1/original/source` && query?.partNumber);
  const never = new Promise(() => {});
  server.fault = ({ query }) => (Number(query?.partNumber) >= 3 ? { before: () => never } : null);
  await ingest(film, title);
  await until(() => parts().length === 3, 120_000);
  await cluster.origin.kill();
  server.fault = () => null;
  if (forgets) server.uploads.clear();
  await cluster.startOrigin();
  await copied(title);
  assert.deepEqual(parts().map(({ query }) => Number(query.partNumber)), forgets ? [1, 2, 3, 3, 1, 2, 3] : [1, 2, 3, 3]);
  assert.equal(new Set(parts().map(({ query }) => query.uploadId)).size, forgets ? 2 : 1);
  assert.equal(server.uploads.size, 0);
  const object = server.buckets.get("films").get(`cinema/${title}/v1/original/source`);
  assert.ok(object.read(0, object.size).equals(readFileSync(film)));
});

test("an original that rotted before it was copied never becomes a copy", async () => {
  server.fault = ({ key, method }) => (method === "PUT" && key?.startsWith("cinema/early/") ? { status: 503, code: "SlowDown", retryAfterS: 1 } : null);
  await ingest(makeFilm(state, { seconds: 2 }), "early");
  rot(pathOf("early", "v1", "original/source"), 3000);
  await restart({});
  server.fault = () => null;
  await until(async () => (await filesOf("early"))[0].files[0].finding, 90_000);
  assert.ok(!server.buckets.get("films").has("cinema/early/v1/original/source"));
  await until(async () => (await filesOf("early"))[0].files.filter(({ copy }) => copy).length >= 2);
});

test("originals move to the bucket, and come back for another version", async () => {
  const original = readFileSync(pathOf("sintel", "v1", "original/source"));
  await restart({ "storage.originals": "bucket" });
  await until(async () => (await filesOf("sintel"))[0].files[0].place === "bucket");
  // The record comes first, then the file goes.
  await until(() => !existsSync(pathOf("sintel", "v1", "original/source")));
  assert.equal((await answerOf(cluster, "scrub", "sintel")).found, 0);
  const before = server.requests.length;
  const job = await answerOf(cluster, "reingest", "sintel");
  assert.equal(job.version, "v2");
  await published("sintel", "v2");
  const ranges = server.requests.slice(before).filter(({ key, headers }) => key?.endsWith("v1/original/source") && headers["if-match"]);
  assert.ok(ranges.length > 0);
  const [v1, v2] = (await cluster.api("GET", "/v1/titles/sintel")).body.versions;
  assert.equal(v2.sha256, v1.sha256);
  await copied("sintel");
  await answerOf(cluster, "storage", "--collect");
  const moved = server.buckets.get("films").get("cinema/sintel/v2/original/source");
  assert.deepEqual(moved.read(0, moved.size), original);
  assert.equal((await cluster.api("GET", "/v1/titles/sintel")).body.versions[1].state, "published");
});

test("an original in the bucket that is another by now is not taken for it", async () => {
  server.put("films", "cinema/sintel/v1/original/source", Buffer.alloc(server.buckets.get("films").get("cinema/sintel/v1/original/source").size, 1));
  const run = await reelway(cluster, ["reingest", "sintel", "--version", "v1"]);
  assert.equal(run.status, 1);
  assert.equal(run.answer.error.code, "object_corrupt");
});

test("the rules remove originals and former versions, from disk and bucket, and say so before", async () => {
  await restart({ "storage.originals": "disk", "originals.keep": "1s", "versions.keep": "1s", "versions.kept_min": 0, "play.token_lifetime": "1s", "rights.token_lifetime_max": "60s" });
  const keys = (prefix) => [...server.buckets.get("films").keys()].filter((key) => key.startsWith(prefix));
  await until(async () => {
    await answerOf(cluster, "storage", "--collect");
    return keys("cinema/sintel/v2/original").length === 0;
  });
  const gone = await reelway(cluster, ["reingest", "sintel"]);
  assert.equal(gone.answer.error.code, "original_removed");
  assert.ok(keys("cinema/sintel/v1/film").length > 0, "a token of a minute may still be about");
  const plan = await until(async () => {
    const { removals } = await answerOf(cluster, "storage", "--collect", "--dry-run");
    return removals.length > 0 && removals;
  }, 120_000);
  assert.deepEqual(plan.map(({ what, title, version }) => [what, title, version]), [["film", "sintel", "v1"]]);
  assert.ok(existsSync(pathOf("sintel", "v1", "")));
  assert.equal((await answerOf(cluster, "storage", "--collect")).removals.length, 1);
  assert.ok(!existsSync(pathOf("sintel", "v1", "")));
  assert.deepEqual(keys("cinema/sintel/v1/"), []);
  assert.ok([...(await bodies(await segments("sintel", "v2"))).values()].every(({ status }) => status === 200));
  assert.equal((await cluster.media("/sintel/v1/master.m3u8")).status, 404);
  assert.match((await reelway(cluster, ["storage", "--collect"], { json: false })).out, /Nothing was removed/);
});

test("a prefix that belongs to another origin is left alone", async () => {
  server.put("other", "cinema/reelway-origin", Buffer.from("reelway-origin of another\n"));
  const count = server.buckets.get("other").size;
  await restart({ "storage.copy.bucket": "other" });
  await until(() => /another origin keeps its copies there/.test(readFileSync(cluster.origin.logFile, "utf8")));
  assert.equal(server.buckets.get("other").size, count);
});

test("without a second copy rot is told, and never served", async () => {
  const { "storage.copy.store": _, ...rest } = cluster.originSettings;
  await cluster.origin.stop();
  cluster.originSettings = rest;
  await cluster.startOrigin();
  await ingest(makeFilm(state, { seconds: 6, width: 426, height: 240 }), "alone");
  const [{ files }] = await filesOf("alone");
  const right = await bodies(await segments("alone"));
  await answerOf(cluster, "scrub", "alone");
  for (const { file, kind } of files.filter((each) => each.place !== "removed")) rot(pathOf("alone", "v1", file), kind === "track" ? -2000 : 50);
  const tally = await answerOf(cluster, "scrub", "alone");
  assert.deepEqual([tally.found, tally.mended], [files.filter((each) => each.place !== "removed").length, 0]);
  // What is written here changes the pages in memory too, which rot does not: so by a new process, that trusts none.
  await restart({});
  for (const { status, body } of (await bodies([...right.keys()])).values()) assert.ok(status >= 500, `${status} ${body.length}`);
  const report = await reelway(cluster, ["storage", "alone"], { json: false });
  assert.match(report.out, /not mended: .*no second copy/);
  assert.match(report.out, /damaged/);
  const mendings = await cluster.metrics("origin", "reelway_origin_scrub_mendings_total");
  assert.ok(mendings.size === 2);
});
