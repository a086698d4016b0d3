// The import against a server that verifies every signature and fails as the test has it.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { makeFilm } from "../support/films.mjs";
import { S3Server } from "../support/s3_server.mjs";
import { answerOf, reelway, startOrigin, sumOf, until, uploadFile } from "./importing.mjs";

const keyId = "AKIATESTOFIMPORTS";
const secret = "0123456789abcdef/+of-the-test";
const partBytes = 256 << 10;
const state = mkdtempSync(join(tmpdir(), "reelway-import-"));
let server;
let cluster;

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const importFiles = () => readdirSync(join(state, "origin", "imports"));
const isPart = ({ method, headers }) => method === "GET" && headers["if-match"] !== undefined;
const show = async (id) => (await cluster.api("GET", `/v1/imports/${id}`)).body;
const ended = (id) => until(async () => {
  const status = await show(id);
  return ["done", "failed", "cancelled"].includes(status.state) && status;
});
async function begin(key, title) {
  const answer = await cluster.api("POST", "/v1/imports", { store: "bucket", bucket: "films", key, title });
  assert.equal(answer.status, 202, JSON.stringify(answer.body));
  return answer.body.import;
}

before(async () => {
  server = await new S3Server({ keys: { [keyId]: secret }, buckets: ["films"], pageMax: 4 }).start();
  cluster = await startOrigin({ state, settings: { "imports.part_bytes": "256KiB", "imports.parts_at_once": 3 }, stores: {
    bucket: { endpoint: server.endpoint, keyId, secret },
    wrong: { endpoint: server.endpoint, keyId, secret: secret.slice(1) + "x" },
    away: { endpoint: "http://127.0.0.1:9", keyId, secret } } });
});
beforeEach(() => { server.fault = () => null; });
after(async () => {
  await cluster?.stop();
  await server?.stop();
  rmSync(state, { recursive: true, force: true });
});

test("a film goes from the bucket to a published title", async () => {
  server.put("films", "2024/Sintel (2010).mp4", readFileSync(makeFilm(state, { seconds: 4 })));
  const { imports } = await answerOf(cluster, "import", "s3://films/2024/Sintel (2010).mp4", "--store", "bucket");
  assert.equal(imports[0].title, "sintel-2010");
  assert.equal(imports[0].checked_by, "sha256");
  await until(async () => (await cluster.api("GET", "/v1/titles/sintel-2010")).body.state === "published");
  assert.deepEqual(importFiles(), []);
});

test("parts are fetched several at once, and not more than may be", async () => {
  server.put("films", "bounded", randomBytes(8 * partBytes + 5));
  let now = 0;
  let most = 0;
  let open;
  const gate = new Promise((resolve) => { open = resolve; });
  server.fault = (request) => (!isPart(request) ? null : { before: async () => {
    most = Math.max(most, ++now);
    if (now === 3) open();
    await gate;
    --now;
  } });
  assert.equal((await ended(await begin("bounded", "bounded"))).state, "done");
  assert.equal(most, 3);
});

test("a kill costs the parts in flight at most, and the bytes are right", async () => {
  const bytes = randomBytes(20 * partBytes + 123);
  server.put("films", "killed", bytes);
  let parts = 0;
  const never = new Promise(() => {});
  server.fault = (request) => (isPart(request) && request.key === "killed" && ++parts > 10 ? { before: () => never } : null);
  const id = await begin("killed", "killed");
  await until(async () => parts >= 13 && (await show(id)).received_bytes >= 10 * partBytes);
  await cluster.origin.kill();
  server.fault = () => null;
  const sent = server.bytesSent;
  await cluster.startOrigin();
  const status = await ended(id);
  assert.equal(status.state, "done", JSON.stringify(status));
  assert.equal(status.sha256, sha256(bytes));
  assert.equal(await sumOf(uploadFile(cluster, status.upload)), sha256(bytes));
  // Ten parts were answered; each may or may not have been listed as held when the kill came, but for those in flight.
  const again = server.bytesSent - sent - (bytes.length - 10 * partBytes);
  assert.ok(again >= 0 && again <= 3 * partBytes, `${again} bytes were fetched again`);
});

test("a part that rots on the disk meanwhile is fetched again", async () => {
  const bytes = randomBytes(6 * partBytes);
  server.put("films", "rotten", bytes);
  let parts = 0;
  server.fault = (request) => (isPart(request) && ++parts > 4 ? { before: () => new Promise(() => {}) } : null);
  const id = await begin("rotten", "rotten");
  await until(() => parts >= 6);
  await until(async () => (await show(id)).received_bytes >= 4 * partBytes);
  await cluster.origin.kill();
  const file = openSync(join(state, "origin", "imports", `${id}.part`), "r+");
  writeSync(file, Buffer.from([bytes[1000] ^ 1]), 0, 1, 1000);
  closeSync(file);
  server.fault = () => null;
  await cluster.startOrigin();
  assert.equal((await ended(id)).sha256, sha256(bytes));
});

test("an object that changes meanwhile fails, and keeps nothing", async () => {
  server.put("films", "changing", randomBytes(5 * partBytes));
  let changed = false;
  server.fault = (request) => {
    if (isPart(request) && !changed) {
      changed = true;
      server.put("films", "changing", randomBytes(5 * partBytes));
    }
    return null;
  };
  const status = await ended(await begin("changing", "changing"));
  assert.equal(status.state, "failed");
  assert.equal(status.error.code, "object_changed");
  await until(() => importFiles().length === 0);
});

test("a failed import goes on where it was", async () => {
  const bytes = randomBytes(6 * partBytes);
  server.put("films", "resumed", bytes);
  let parts = 0;
  server.fault = (request) => (isPart(request) && ++parts > 3 ? { status: 403, code: "AccessDenied" } : null);
  const id = await begin("resumed", "resumed");
  const failed = await ended(id);
  assert.equal(failed.error.code, "object_store_denied");
  server.fault = () => null;
  const sent = server.bytesSent;
  assert.equal((await cluster.api("POST", `/v1/imports/${id}/resume`, {})).status, 202);
  assert.equal((await ended(id)).sha256, sha256(bytes));
  assert.ok(server.bytesSent - sent <= 3 * partBytes, "held parts are not fetched again");
});

test("a cancelled import keeps nothing", async () => {
  server.put("films", "cancelled", randomBytes(4 * partBytes));
  let reached;
  const running = new Promise((resolve) => { reached = resolve; });
  server.fault = (request) => (isPart(request) ? { before: () => { reached(); return new Promise(() => {}); } } : null);
  const id = await begin("cancelled", "cancelled");
  await running;
  assert.equal((await cluster.api("POST", `/v1/imports/${id}/cancel`, {})).status, 202);
  assert.equal((await ended(id)).state, "cancelled");
  await until(() => importFiles().length === 0);
});

test("a busy server is waited for", async () => {
  const bytes = randomBytes(3 * partBytes);
  server.put("films", "busy", bytes);
  let busy = 4;
  server.fault = (request) => (isPart(request) && busy-- > 0 ? { status: 503, code: "SlowDown", retryAfterS: 0 } : null);
  assert.equal((await ended(await begin("busy", "busy"))).sha256, sha256(bytes));
});

test("whatever is wrong shows at once, with a code of its own", async () => {
  server.put("films", "present", randomBytes(10));
  server.put("films", "empty", Buffer.alloc(0));
  const refusal = async (body) => {
    const answer = await cluster.api("POST", "/v1/imports", { store: "bucket", bucket: "films", key: "present", title: "present", ...body });
    return answer.body.error?.code ?? answer.status;
  };
  assert.equal(await refusal({ store: "nowhere" }), "object_store_not_configured");
  assert.equal(await refusal({ store: undefined }), "object_store_not_configured");
  assert.equal(await refusal({ store: "away" }), "object_store_unreachable");
  assert.equal(await refusal({ store: "wrong" }), "object_store_denied");
  assert.equal(await refusal({ bucket: "nosuchbucket" }), "bucket_not_found");
  assert.equal(await refusal({ bucket: "../etc" }), "http_bad_request");
  assert.equal(await refusal({ key: "absent" }), "object_not_found");
  assert.equal(await refusal({ key: "empty" }), "http_bad_request");
  assert.equal(await refusal({ title: "No Title" }), "title_id_invalid");
  assert.equal(await refusal({ title: "sintel-2010" }), "title_exists");
});

test("a wrong secret is one clear error, and no log has a secret", async () => {
  for (const args of [["--list", "s3://films/"], ["s3://films/present"], ["s3://films/"]]) {
    const run = await reelway(cluster, ["import", ...args, "--store", "wrong"], { json: false });
    assert.equal(run.status, 1);
    const lines = run.err.trim().split("\n");
    assert.equal(lines.length, 1, run.err);
    assert.match(lines[0], /^reelway: object_store_denied: .*SignatureDoesNotMatch.*Remedy: /);
    for (const part of [server.endpoint, "s3://films/", keyId]) assert.ok(lines[0].includes(part), lines[0]);
    assert.ok(!run.err.includes(secret.slice(1)));
  }
  const log = readFileSync(cluster.origin.logFile, "utf8");
  assert.ok(!log.includes(secret.slice(1)));
});

test("the listing, the imports and their help read well", async () => {
  const list = await reelway(cluster, ["import", "--list", "s3://films/", "--store", "bucket"], { json: false });
  assert.match(list.out, /last modified/);
  assert.match(list.out, /2024\/Sintel \(2010\)\.mp4/);
  const imports = await reelway(cluster, ["imports"], { json: false });
  assert.match(imports.out, /cancelled/);
  assert.match((await reelway(cluster, ["import", "--help"], { json: false })).out, /Examples:/);
});

test("an object for which there is no room is refused", async () => {
  await cluster.stop();
  cluster.originSettings["ingest.free_bytes_min"] = "4000000GiB";
  await cluster.startOrigin();
  const answer = await cluster.api("POST", "/v1/imports", { store: "bucket", bucket: "films", key: "present", title: "present" });
  assert.equal(answer.body.error.code, "disk_full");
});
