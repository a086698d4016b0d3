// An edge in front of a site: real programs and an origin that counts what it is asked. What is purged by the operator's
// command is not served again, also not after kill -9; explain says what a request would meet. What is large is fetched
// and kept in slices.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createInterface } from "node:readline";
import { get, until } from "../support/playing.mjs";

const bin = process.env.REELWAY_BIN;
const state = mkdtempSync(join(tmpdir(), "reelway-site-"));
const secret = join(state, "secret");
const asked = new Map();
let origin, edge, addresses;

const MiB = 1 << 20;
const film = { version: 1, ranges: [] };
const filmBody = () => Buffer.alloc(24 * MiB, `version ${film.version}, `);

// A large object, by range too; the edge's way to it is `film.ranges`.
const filmAnswer = (request, answer) => {
  const body = filmBody();
  const etag = `"film-${film.version}"`;
  const headers = { "Cache-Control": "max-age=3600", "Surrogate-Key": "film", "Accept-Ranges": "bytes", ETag: etag };
  const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
  film.ranges.push(range === null ? "whole" : Number(range[1]) / MiB);
  if (range === null || request.headers["if-range"] !== etag) {
    answer.writeHead(200, { ...headers, "Content-Length": body.length });
    return answer.end(body);
  }
  const [first, last] = [Number(range[1]), Number(range[2])];
  answer.writeHead(206, { ...headers, "Content-Range": `bytes ${first}-${last}/${body.length}`, "Content-Length": last - first + 1 });
  answer.end(body.subarray(first, last + 1));
};

const originAnswer = (request, answer) => {
  if (request.url === "/film.mp4") return filmAnswer(request, answer);
  const count = (asked.get(request.url) ?? 0) + 1;
  asked.set(request.url, count);
  const [, tag] = request.url.split("/");
  answer.writeHead(200, { "Cache-Control": "max-age=3600", "Surrogate-Key": `${tag} all`, ETag: `"${count}"` });
  answer.end(`${request.url} ${count}`);
};

const startEdge = async () => {
  edge = spawn(join(bin, "reelway-edge"), ["--config", join(state, "edge.yaml")], { stdio: ["ignore", "pipe", "ignore"] });
  const [line] = await once(createInterface({ input: edge.stdout }), "line");
  addresses = JSON.parse(line);
  writeFileSync(join(state, "reelway.yaml"), `origin:\n  credential_file: ${secret}\nedges:\n  - "http://${addresses.public} http://${addresses.admin} ${secret}"\n`);
};
const stopEdge = async (signal) => {
  const exited = once(edge, "exit");
  edge.kill(signal);
  await exited;
};
const reelway = (...args) => {
  const run = spawnSync(join(bin, "reelway"), ["--config", join(state, "reelway.yaml"), "--json", ...args], { encoding: "utf8" });
  assert.equal(run.status, 0, run.stdout + run.stderr);
  return JSON.parse(run.stdout).edges[0];
};
const page = async (path, host = "www.example.org") => {
  const answer = await new Promise((resolve, reject) => {
    http.get(`http://${addresses.public}${path}`, { headers: { Host: host } }, resolve).on("error", reject);
  });
  let body = "";
  for await (const piece of answer) body += piece;
  return body;
};

before(async () => {
  writeFileSync(secret, "a-secret-that-is-long-enough\n");
  chmodSync(secret, 0o600);
  origin = http.createServer(originAnswer).listen(0, "127.0.0.1");
  await once(origin, "listening");
  writeFileSync(join(state, "edge.yaml"), `edge_id: edge-a
rings: 2
public:
  listen: 127.0.0.1:0
admin:
  listen: 127.0.0.1:0
  credential_file: ${secret}
upstream:
  url: http://127.0.0.1:${origin.address().port}
  secret_file: ${secret}
site:
  upstreams: ["http://127.0.0.1:${origin.address().port}"]
store:
  directory: ${join(state, "store")}
  memory_bytes: 128MiB
  disk_bytes: 256MiB
`);
  await startEdge();
});

after(async () => {
  await stopEdge("SIGKILL");
  origin.close();
  origin.closeAllConnections();
  rmSync(state, { recursive: true, force: true });
});

test("a page is fetched once, for each host", async () => {
  assert.equal(await page("/a/1"), "/a/1 1");
  assert.equal(await page("/a/1"), "/a/1 1");
  assert.equal(await page("/a/1", "other.example.org"), "/a/1 2");
  assert.equal((await get(`http://${addresses.public}/a/2`)).cache.includes("fwd=uri-miss"), true);
});

test("explain says that it is a hit, and why", () => {
  const explained = reelway("explain", "http://www.example.org/a/1");
  assert.equal(explained.would, "hit");
  assert.equal(explained.tier, "memory");
  assert.equal(explained.cache_key, "s|www.example.org|/a/1");
  assert.match(explained.steps.find((step) => step.step === "reuse").detail, /lifetime 3600 s/);
  assert.equal(reelway("explain", "http://www.example.org/none").would, "miss");
});

test("what is purged is fetched anew, by URL, prefix and tag", async () => {
  assert.equal(await page("/b/1"), "/b/1 1");
  const byUrl = reelway("purge", "http://www.example.org/a/1");
  assert.equal(byUrl.objects, 1);
  assert.deepEqual(byUrl.keys, ["s|www.example.org|/a/1"]);
  assert.equal(await page("/a/1"), "/a/1 3");
  assert.equal(reelway("purge", "--prefix", "/b/").objects, 1);
  assert.equal(await page("/b/1"), "/b/1 2");
  assert.equal(reelway("purge", "--tag", "nothing-has-it").objects, 0);
  assert.ok(reelway("purge", "--tag", "all", "--soft").objects >= 3);
  assert.equal(await page("/b/1"), "/b/1 3");  // validated, and the origin's page has another tag
});

test("a purge outlives kill -9", async () => {
  assert.equal(await page("/c/1"), "/c/1 1");
  reelway("purge", "--tag", "c");
  await stopEdge("SIGKILL");
  await startEdge();
  assert.equal(await page("/c/1"), "/c/1 2");
});

// The answer's body, or what came of it before it was cut.
const filmBytes = async (range) => {
  const answer = await new Promise((resolve, reject) => {
    http.get(`http://${addresses.public}/film.mp4`, { headers: { Host: "www.example.org", ...(range && { Range: range }) } }, resolve).on("error", reject);
  });
  const pieces = [];
  let cut = false;
  try {
    for await (const piece of answer) pieces.push(piece);
  } catch {
    cut = true;
  }
  return { status: answer.statusCode, etag: answer.headers.etag, body: Buffer.concat(pieces), cut };
};

// All that was filled has been written to disk.
const stored = async () => {
  const value = (page_, name) => Number(new RegExp(`^${name} (\\d+)`, "m").exec(page_)?.[1]);
  await until("all is on disk", async () => {
    const answer = await fetch(`http://${addresses.admin}/metrics`, { headers: { Authorization: "Bearer a-secret-that-is-long-enough" } });
    const page_ = await answer.text();
    return value(page_, 'reelway_edge_store_disk_writes_total{result="ok"}') >= value(page_, 'reelway_edge_store_fills_total{result="completed"}');
  });
};

test("a part of a large object is fetched by slices, which outlive kill -9", async () => {
  const part = await filmBytes(`bytes=${13 * MiB}-${13 * MiB + 999}`);
  assert.equal(part.status, 206);
  assert.ok(part.body.equals(filmBody().subarray(13 * MiB, 13 * MiB + 1000)));
  assert.deepEqual(film.ranges, ["whole", 12]);
  const whole = await filmBytes();
  assert.equal(whole.status, 200);
  assert.ok(whole.body.equals(filmBody()));
  assert.deepEqual(film.ranges, ["whole", 12, 0, 4, 8, 16, 20]);
  assert.equal(reelway("explain", "http://www.example.org/film.mp4").object.slice_bytes, 4 * MiB);
  await stored();
  await stopEdge("SIGKILL");
  await startEdge();
  assert.ok((await filmBytes()).body.equals(filmBody()));
  assert.equal(film.ranges.length, 7);
});

test("a large object that changes is never mixed of two versions", async () => {
  assert.equal(reelway("purge", "--tag", "film").objects, 7);
  await filmBytes("bytes=0-9");
  const old = filmBody();
  film.version = 2;
  const cut = await filmBytes();
  assert.equal(cut.cut, true);
  assert.equal(cut.etag, '"film-1"');
  assert.ok(cut.body.equals(old.subarray(0, cut.body.length)));
  const fresh = await filmBytes();
  assert.equal(fresh.etag, '"film-2"');
  assert.ok(fresh.body.equals(filmBody()));
});

test("a command that names nothing or two things is refused", () => {
  for (const args of [[], ["/a", "--tag", "b"]]) {
    const run = spawnSync(join(bin, "reelway"), ["--config", join(state, "reelway.yaml"), "purge", ...args], { encoding: "utf8" });
    assert.equal(run.status, 2);
  }
});
