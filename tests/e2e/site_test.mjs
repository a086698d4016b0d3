// An edge in front of a site: real programs and an origin that counts what it is asked. What is purged by the operator's
// command is not served again, also not after kill -9; explain says what a request would meet.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { createInterface } from "node:readline";
import { get } from "../support/playing.mjs";

const bin = process.env.REELWAY_BIN;
const state = mkdtempSync(join(tmpdir(), "reelway-site-"));
const secret = join(state, "secret");
const asked = new Map();
let origin, edge, addresses;

const originAnswer = (request, answer) => {
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
  memory_bytes: 64MiB
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

test("a command that names nothing or two things is refused", () => {
  for (const args of [[], ["/a", "--tag", "b"]]) {
    const run = spawnSync(join(bin, "reelway"), ["--config", join(state, "reelway.yaml"), "purge", ...args], { encoding: "utf8" });
    assert.equal(run.status, 2);
  }
});
