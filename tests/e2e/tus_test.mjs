// The public tus client (npm tus-js-client) against an origin that is killed with -9 and a connection that is cut. The
// size can be raised, as figures are taken of it: REELWAY_TUS_MIB=2048 node --test tests/e2e/tus_test.mjs

import assert from "node:assert/strict";
import { createHash, randomFillSync } from "node:crypto";
import { closeSync, createReadStream, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import tus from "tus-js-client";
import { Cluster } from "../../tools/cluster.mjs";
import { makeFilm } from "../support/films.mjs";
import { until } from "../support/playing.mjs";
import { TusProxy } from "../support/tus_proxy.mjs";

const sizeMib = Number(process.env.REELWAY_TUS_MIB ?? 64);
const kills = 5, cuts = 10;
const mib = 1 << 20;
const state = mkdtempSync(join(process.env.REELWAY_TUS_STATE ?? tmpdir(), "reelway-tus-"));
let cluster, proxy;

before(async () => {
  cluster = new Cluster({ bin: process.env.REELWAY_BIN, state, edges: 0, originSettings: { "ingest.free_bytes_min": "1MiB", "log.level": "warn" } });
  await cluster.startOrigin();
  proxy = await new TusProxy(cluster.ports.api).listen();
});

after(async () => {
  await proxy?.close();
  await cluster?.stop();
  rmSync(state, { recursive: true, force: true });
});

const idOf = (upload) => upload.url.split("/").at(-1);

function randomFile(name, size) {
  const path = join(state, name);
  const file = openSync(path, "w");
  const sum = createHash("sha256");
  const piece = Buffer.alloc(mib);
  for (let written = 0; written < size; written += piece.length) {
    const part = randomFillSync(piece).subarray(0, Math.min(piece.length, size - written));
    sum.update(part);
    writeSync(file, part);
  }
  closeSync(file);
  return { path, size, sha256: sum.digest("hex") };
}

// By the client, until it says that all is done.
function send(file, options = {}) {
  return new Promise((resolve, reject) => {
    const upload = new tus.Upload(createReadStream(file.path), {
      endpoint: `http://${proxy.address}/v1/tus`, headers: cluster.bearer("api"),
      retryDelays: Array(60).fill(100), ...options,
      onError: reject, onSuccess: () => resolve(upload),
    });
    upload.start();
  });
}

// The raw protocol, past the proxy.
function ask(method, path, headers = {}, body) {
  return fetch(`http://${cluster.ports.api}${path}`, { method, body, headers: { ...cluster.bearer("api"), "Tus-Resumable": "1.0.0", ...headers } });
}

async function create(bytes, headers = {}) {
  const answer = await ask("POST", "/v1/tus", { "Upload-Length": String(bytes), ...headers });
  assert.equal(answer.status, 201, await answer.text());
  return answer.headers.get("location");
}

const patch = (path, offset, body, headers = {}) =>
  ask("PATCH", path, { "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream", ...headers }, body);

const offsetOf = async (path) => Number((await ask("HEAD", path)).headers.get("upload-offset"));

for (const chunkSize of [4 * mib, Infinity]) {
  const how = chunkSize === Infinity ? "one PATCH" : "chunks of 4 MiB";
  test(`${sizeMib} MiB in ${how} outlive ${kills} times kill -9 and ${cuts} cuts`, async (context) => {
    const file = randomFile("film.bin", sizeMib * mib);
    const patchesBefore = proxy.patches.length, bytesBefore = proxy.bodyBytes;
    const restarts = [];
    for (let event = 0; event < kills + cuts; ++event) {
      const kill = event % 3 === 1;
      const place = bytesBefore + Math.floor(((event + 0.5) / (kills + cuts)) * file.size);
      proxy.at(place, kill ? () => restarts.push(cluster.origin.kill().then(() => cluster.startOrigin())) : () => proxy.cut());
    }
    const began = performance.now();
    const upload = await send(file, { chunkSize, metadata: { filename: "film.bin" } });
    const seconds = (performance.now() - began) / 1000;
    await Promise.all(restarts);
    assert.equal(restarts.length, kills);
    assert.equal(proxy.actions.length, 0);

    const { body } = await cluster.api("GET", `/v1/uploads/${idOf(upload)}`);
    assert.equal(body.state, "complete");
    assert.equal(body.sha256, file.sha256);
    const patches = proxy.patches.slice(patchesBefore);
    const again = patches.filter((one) => one.offset < one.acknowledged);
    assert.deepEqual(again, [], "bytes were asked for again that had been acknowledged");
    const sent = proxy.bodyBytes - bytesBefore;
    const interruptions = kills + cuts;
    const allowed = chunkSize === Infinity ? 17 * mib + 8 * mib : chunkSize;
    assert.ok(sent - file.size <= interruptions * allowed, `${sent - file.size} bytes were sent twice`);
    context.diagnostic(`${patches.length} PATCH requests, ${((sent - file.size) / mib).toFixed(1)} MiB sent twice (none of them acknowledged), ${seconds.toFixed(1)} s`);
    assert.equal((await ask("DELETE", `/v1/tus/${idOf(upload)}`)).status, 204);
  });
}

test("what is offered, and what is refused", async () => {
  const offered = await ask("OPTIONS", "/v1/tus");
  assert.equal(offered.status, 204);
  assert.equal(offered.headers.get("tus-version"), "1.0.0");
  assert.deepEqual(new Set(offered.headers.get("tus-extension").split(",")),
    new Set(["creation", "creation-with-upload", "expiration", "checksum", "termination", "concatenation"]));
  assert.ok(Number(offered.headers.get("tus-max-size")) > 0);
  assert.match(offered.headers.get("tus-checksum-algorithm"), /sha1/);
  assert.equal((await fetch(`http://${cluster.ports.api}/v1/tus`, { method: "OPTIONS" })).status, 401);

  const old = await ask("POST", "/v1/tus", { "Tus-Resumable": "0.2.2", "Upload-Length": "5" });
  assert.deepEqual([old.status, old.headers.get("tus-version"), (await old.json()).error.code], [412, "1.0.0", "tus_version"]);
  const large = await ask("POST", "/v1/tus", { "Upload-Length": String(2 ** 52) });
  assert.equal(large.status, 413);
  assert.equal(large.headers.get("tus-resumable"), "1.0.0");
  assert.equal((await ask("POST", "/v1/tus", { "Upload-Length": "5", "Upload-Metadata": `title ${btoa("No Title")}` })).status, 400);

  const path = await create(10, { "Upload-Metadata": `filename ${btoa("f.mp4")},other ${btoa("kept")}` });
  assert.equal((await ask("PATCH", path, { "Upload-Offset": "0", "Content-Type": "text/plain" }, "abc")).status, 415);
  assert.equal((await patch(path, 3, "abc")).status, 409);
  const first = await patch(path, 0, "abc");
  assert.deepEqual([first.status, first.headers.get("upload-offset")], [204, "3"]);
  assert.ok(Date.parse(first.headers.get("upload-expires")) > Date.now());
  const head = await ask("HEAD", path);
  assert.deepEqual(["upload-offset", "upload-length", "upload-metadata", "cache-control"].map((name) => head.headers.get(name)),
    ["3", "10", `filename ${btoa("f.mp4")},other ${btoa("kept")}`, "no-store"]);
  const long = await patch(path, 3, "x".repeat(8));
  assert.deepEqual([long.status, (await long.json()).error.code], [413, "upload_too_large"]);
  assert.equal((await ask("POST", path, { "X-HTTP-Method-Override": "DELETE" })).status, 204);
  assert.equal((await ask("HEAD", path)).status, 404);
  assert.equal((await patch(path, 3, "abc")).status, 404);
  const wrongMethod = await ask("PUT", "/v1/tus");
  assert.deepEqual([wrongMethod.status, wrongMethod.headers.get("allow")], [405, "OPTIONS, POST"]);
});

test("a chunk that does not match its checksum is dropped", async () => {
  const path = await create(6);
  const sum = (algorithm, text) => `${algorithm} ${createHash(algorithm).update(text).digest("base64")}`;
  const wrong = await patch(path, 0, "abc", { "Upload-Checksum": sum("sha1", "abd") });
  assert.deepEqual([wrong.status, (await wrong.json()).error.code], [460, "upload_checksum_differs"]);
  assert.equal(await offsetOf(path), 0);
  assert.equal((await patch(path, 0, "abc", { "Upload-Checksum": "md5 AAAA" })).status, 400);
  assert.equal((await patch(path, 0, "abc", { "Upload-Checksum": sum("sha1", "abc") })).status, 204);
  assert.equal((await patch(path, 3, "def", { "Upload-Checksum": sum("sha256", "def") })).status, 204);
  const { body } = await cluster.api("GET", `/v1/uploads/${path.split("/").at(-1)}`);
  assert.equal(body.sha256, createHash("sha256").update("abcdef").digest("hex"));
  await ask("DELETE", path);
});

test("the first bytes may come with the creation", async () => {
  const made = await ask("POST", "/v1/tus", { "Upload-Length": "6", "Content-Type": "application/offset+octet-stream" }, "abc");
  assert.deepEqual([made.status, made.headers.get("upload-offset")], [201, "3"]);
  assert.equal(await offsetOf(made.headers.get("location")), 3);
  await ask("DELETE", made.headers.get("location"));
});

test("one body at a time; asking for the offset ends one that hangs", async () => {
  const path = await create(100);
  const [host, port] = cluster.ports.api.split(":");
  const hanging = net.connect(Number(port), host);
  let heard = "";
  hanging.on("data", (piece) => { heard += piece; });
  hanging.on("error", () => {});
  hanging.write(`PATCH ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${cluster.secrets.api}\r\nTus-Resumable: 1.0.0\r\n` +
    "Upload-Offset: 0\r\nContent-Type: application/offset+octet-stream\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n0123456789");
  await until("its body is awaited", () => heard.startsWith("HTTP/1.1 100 "));
  const second = await patch(path, 0, "abc");
  assert.deepEqual([second.status, (await second.json()).error.code], [423, "upload_locked"]);
  assert.equal(await offsetOf(path), 10);
  await until("the hanging one was told", () => /HTTP\/1\.1 423 /.test(heard));
  hanging.destroy();
  assert.equal((await patch(path, 10, "abc")).status, 204);
  await ask("DELETE", path);
});

test("the client's parallel parts become one upload", async () => {
  const file = randomFile("parts.bin", 5 * mib + 17);
  const upload = await send(file, { parallelUploads: 3, metadata: { filename: "parts.bin", title: "in-parts" } });
  const { body } = await cluster.api("GET", `/v1/uploads/${idOf(upload)}`);
  assert.deepEqual([body.state, body.sha256, body.title], ["complete", file.sha256, "in-parts"]);
  assert.equal((await patch(`/v1/tus/${idOf(upload)}`, file.size, "x")).status, 403);
  const left = await cluster.api("GET", "/v1/uploads");
  assert.deepEqual(left.body.uploads.map((one) => one.upload), [idOf(upload)]);
  assert.equal((await cluster.api("DELETE", `/v1/uploads/${idOf(upload)}`)).status, 200);
});

test("what was uploaded by tus becomes a title, and the same bytes again are recognised", async () => {
  const path = makeFilm(state, { seconds: 4, width: 320, height: 240 });
  const bytes = readFileSync(path);
  const film = { path, size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
  const first = await send(film, { metadata: { filename: "film.mp4", title: "by-tus" } });
  const begun = await cluster.api("POST", "/v1/titles", { title: "by-tus", upload: idOf(first) });
  assert.equal(begun.status, 202, JSON.stringify(begun.body));
  await until("the film is published", async () => (await cluster.api("GET", `/v1/jobs/${begun.body.job}`)).body.state === "done", 60_000);
  const title = await cluster.api("GET", "/v1/titles/by-tus");
  assert.equal(title.body.versions[0].sha256, film.sha256);
  const again = await send(film, { metadata: { filename: "film.mp4", title: "by-tus-again" } });
  assert.equal((await cluster.api("GET", `/v1/uploads/${idOf(again)}`)).body.duplicate_of, "by-tus/v1");
});

test("many ask for the offset of a body that is coming, and each is answered", async () => {
  const path = await create(200);
  const [host, port] = cluster.ports.api.split(":");
  for (let round = 0, offset = 0; round < 10; ++round, offset += 10) {
    const sending = net.connect(Number(port), host);
    let heard = "";
    sending.on("data", (piece) => { heard += piece; });
    sending.on("error", () => {});
    sending.write(`PATCH ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${cluster.secrets.api}\r\nTus-Resumable: 1.0.0\r\n` +
      `Upload-Offset: ${offset}\r\nContent-Type: application/offset+octet-stream\r\nExpect: 100-continue\r\nContent-Length: 50\r\n\r\n0123456789`);
    await until("its body is awaited", () => heard.startsWith("HTTP/1.1 100 "));
    assert.deepEqual(await Promise.all(Array.from({ length: 8 }, () => offsetOf(path))), Array(8).fill(offset + 10));
    sending.destroy();
  }
  await ask("DELETE", path);
});
