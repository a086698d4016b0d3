// A film by URL: from servers that give parts, from those that do not, and from those that mean harm.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { answerOf, reelway, startOrigin, sumOf, until, uploadFile } from "../object_stores/importing.mjs";
import { FilmServer } from "../support/film_server.mjs";
import { makeFilm } from "../support/films.mjs";

const partBytes = 256 << 10;
const state = mkdtempSync(join(tmpdir(), "reelway-url-"));
let server;
let cluster;

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const importFiles = (id = "") => readdirSync(join(state, "origin", "imports")).filter((name) => name.startsWith(id));
const show = async (id) => (await cluster.api("GET", `/v1/imports/${id}`)).body;
const ended = (id) => until(async () => {
  const status = await show(id);
  return ["done", "failed", "cancelled"].includes(status.state) && status;
});
const post = (body) => cluster.api("POST", "/v1/imports", body);
async function begin(path, more = {}) {
  const answer = await post({ url: server.url + path, title: path.slice(1).replace(/[^a-z0-9]/g, "-"), ...more });
  assert.equal(answer.status, 202, JSON.stringify(answer.body));
  return answer.body.import;
}
async function refusal(url, more = {}) {
  const answer = await post({ url, title: "refused", ...more });
  assert.ok(answer.status >= 400, JSON.stringify(answer.body));
  return answer.body.error;
}
async function restartWith(settings) {
  await cluster.stop();
  Object.assign(cluster.originSettings, settings);
  await cluster.startOrigin();
}
const redirectTo = (to) => ({ each: ({ response }) => { response.writeHead(302, { location: to }).end(); return true; } });
const never = new Promise(() => {});

before(async () => {
  server = await new FilmServer().start();
  cluster = await startOrigin({ state, stores: {}, settings: {
    "imports.part_bytes": "256KiB", "imports.parts_at_once": 3, "ingest.upload_bytes_max": "16MiB",
    "imports.url_hosts": ["127.0.0.1"], "imports.url_private": true } });
});
after(async () => {
  await cluster?.stop();
  await server?.stop();
  rmSync(state, { recursive: true, force: true });
});

test("a film goes from a URL to a published title", async () => {
  const bytes = readFileSync(makeFilm(state, { seconds: 4 }));
  server.put("/films/Sintel%20(2010).mp4", bytes);
  const { imports } = await answerOf(cluster, "import", `${server.url}/films/Sintel%20(2010).mp4`, "--sha256", sha256(bytes));
  assert.equal(imports[0].title, "sintel-2010");
  assert.equal(imports[0].sha256, sha256(bytes));
  assert.equal(imports[0].checked_by, "sha256");
  assert.equal(imports[0].resumable, true);
  await until(async () => (await cluster.api("GET", "/v1/titles/sintel-2010")).body.state === "published");
  assert.deepEqual(importFiles(), []);
});

test("parts come several at once, and the bytes are right", async () => {
  const bytes = randomBytes(8 * partBytes + 5);
  let now = 0;
  let open;
  const gate = new Promise((resolve) => { open = resolve; });
  server.put("/several", bytes, { each: async ({ request }) => {
    if (request.headers["if-match"] && ++now === 3) open();
    if (request.headers["if-match"]) await gate;
    return false;
  } });
  const status = await ended(await begin("/several"));
  assert.equal(status.sha256, sha256(bytes));
  assert.equal(await sumOf(uploadFile(cluster, status.upload)), sha256(bytes));
});

test("a kill costs the parts in flight at most", async () => {
  const bytes = randomBytes(20 * partBytes + 123);
  let parts = 0;
  let held = true;
  server.put("/killed", bytes, { each: async ({ request }) => {
    if (held && request.headers["if-match"] && ++parts > 10) await never;
    return false;
  } });
  const id = await begin("/killed");
  await until(async () => parts >= 13 && (await show(id)).received_bytes >= 10 * partBytes);
  await cluster.origin.kill();
  held = false;
  const sent = server.bytesSent;
  await cluster.startOrigin();
  const status = await ended(id);
  assert.equal(status.sha256, sha256(bytes), JSON.stringify(status));
  assert.equal(await sumOf(uploadFile(cluster, status.upload)), sha256(bytes));
  const again = server.bytesSent - sent - (bytes.length - 10 * partBytes);
  assert.ok(again >= 0 && again <= 3 * partBytes, `${again} bytes were fetched again`);
});

for (const [name, how] of [["without ranges", { ranges: false }], ["that tells no length", { ranges: false, length: false, etag: null }],
  ["whose validator is weak", { etag: 'W/"1"' }]]) {
  test(`from a server ${name} the film comes in one go, also over a kill`, async () => {
    const bytes = randomBytes(5 * partBytes + 77);
    const path = `/whole-${name.replaceAll(" ", "-")}`;
    let held = true;
    server.put(path, bytes, { ...how, each: async ({ request, response, number }) => {
      if (!held || number === 1) return false;
      assert.equal(request.headers.range, undefined);
      const { etag, length } = server.films.get(path);
      response.writeHead(200, { ...(etag ? { etag } : {}), ...(length ? { "content-length": bytes.length } : {}) });
      response.write(bytes.subarray(0, 2 * partBytes));
      return never;
    } });
    const id = await begin(path);
    await until(async () => (await show(id)).received_bytes >= 2 * partBytes);
    assert.equal((await show(id)).resumable, false);
    await cluster.origin.kill();
    held = false;
    await cluster.startOrigin();
    const status = await ended(id);
    assert.equal(status.sha256, sha256(bytes), JSON.stringify(status));
    assert.equal(status.size_bytes, bytes.length);
    assert.equal(await sumOf(uploadFile(cluster, status.upload)), sha256(bytes));
  });
}

test("what breaks off or is busy is asked for again", async () => {
  const bytes = randomBytes(3 * partBytes);
  const cut = ({ request, response, number }) => {
    if (number === 1 || number % 2 === 1) return false;
    if (number % 4 === 0) { response.writeHead(503, { "retry-after": "0" }).end(); return true; }
    response.writeHead(request.headers.range ? 206 : 200, {
      "content-length": request.headers.range ? partBytes : bytes.length, etag: server.films.get("/cut").etag,
      ...(request.headers.range ? { "content-range": request.headers.range.replace("=", " ") + `/${bytes.length}` } : {}) });
    const first = Number(/=(\d+)/.exec(request.headers.range ?? "=0")[1]);
    response.write(bytes.subarray(first, first + 1000), () => response.destroy());
    return true;
  };
  for (const ranges of [true, false]) {
    server.put("/cut", bytes, { ranges, each: cut });
    server.requests = server.requests.filter(({ path }) => path !== "/cut");
    const status = await ended(await begin("/cut", { title: `cut-${ranges}` }));
    assert.equal(status.sha256, sha256(bytes), JSON.stringify(status));
  }
});

test("a film that changes meanwhile fails, and keeps nothing", async () => {
  for (const ranges of [true, false]) {
    const path = `/changing-${ranges}`;
    // The second request is put off, and what then comes is another content.
    server.put(path, randomBytes(5 * partBytes), { ranges, each: ({ response, number }) => {
      if (number !== 2) return false;
      server.put(path, randomBytes(5 * partBytes), { ranges });
      response.writeHead(503, { "retry-after": "0" }).end();
      return true;
    } });
    const status = await ended(await begin(path));
    assert.equal(status.error?.code, "url_changed", JSON.stringify(status));
  }
  await until(() => importFiles().length === 0);
});

test("a sum that is not the expected one fails, and keeps nothing", async () => {
  for (const ranges of [true, false]) {
    server.put(`/other-${ranges}`, randomBytes(2 * partBytes), { ranges });
    const status = await ended(await begin(`/other-${ranges}`, { sha256: "0".repeat(64) }));
    assert.equal(status.error?.code, "object_corrupt", JSON.stringify(status));
  }
  await until(() => importFiles().length === 0);
  assert.equal((await refusal(server.url + "/other-true", { sha256: "abc" })).code, "http_bad_request");
});

test("with a sum, parts may come without a validator", async () => {
  const bytes = randomBytes(3 * partBytes);
  server.put("/unpinned", bytes, { etag: null });
  const id = await begin("/unpinned", { sha256: sha256(bytes) });
  assert.equal((await show(id)).resumable, true);
  assert.equal((await ended(id)).sha256, sha256(bytes));
});

test("a lie about the length is found out", async () => {
  const bytes = randomBytes(2 * partBytes);
  const answer = (headers, body) => ({ each: ({ request, response }) => {
    if (request.headers.range === "bytes=0-0" && headers["content-range"]) return false;
    response.writeHead(headers["content-range"] ? 206 : 200, headers);
    response.write(body, () => response.destroy());
    return true;
  } });
  server.put("/short", bytes, answer({ "content-length": bytes.length }, bytes.subarray(0, 1000)));
  const short = await ended(await begin("/short"));
  assert.equal(short.error?.code, "upstream_truncated", JSON.stringify(short));
  server.put("/misplaced", bytes, { etag: '"x"', ...answer({ etag: '"x"', "content-range": `bytes 5-10/${bytes.length}` }, "abcdef") });
  const misplaced = await ended(await begin("/misplaced"));
  assert.equal(misplaced.error?.code, "url_failed", JSON.stringify(misplaced));
  server.put("/coded", bytes, answer({ "content-encoding": "gzip", "content-length": 5 }, "abcde"));
  assert.equal((await refusal(server.url + "/coded")).code, "url_failed");
});

test("what has no end ends at the limit of uploads", async () => {
  server.put("/endless", Buffer.alloc(1), { each: ({ response }) => {
    response.writeHead(200);
    const more = () => { while (!response.destroyed && response.write(Buffer.alloc(1 << 20))); };
    response.on("drain", more);
    more();
    return true;
  } });
  const id = await begin("/endless");
  const status = await ended(id);
  assert.equal(status.error?.code, "upload_too_large", JSON.stringify(status));
  await until(() => importFiles(id).length === 0);
  server.put("/announced", randomBytes(17 << 20));
  assert.equal((await refusal(server.url + "/announced")).code, "upload_too_large");
});

test("a slow server is waited for as long as bytes come", async () => {
  const bytes = randomBytes(3000);
  server.put("/slow", bytes, { ranges: false, each: async ({ response, number }) => {
    if (number === 1) return false;
    response.writeHead(200, { "content-length": bytes.length, etag: server.films.get("/slow").etag });
    for (let at = 0; at < bytes.length; at += 100) {
      response.write(bytes.subarray(at, at + 100));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    response.end();
    return true;
  } });
  assert.equal((await ended(await begin("/slow"))).sha256, sha256(bytes));
});

test("a cancelled import keeps nothing, and the same request again is the same import", async () => {
  for (const ranges of [true, false]) {
    const path = `/cancelled-${ranges}`;
    server.put(path, randomBytes(4 * partBytes), { ranges, each: ({ request }) => (request.headers.range === "bytes=0-0" ? false : never) });
    const id = await begin(path);
    await until(() => server.requests.filter((request) => request.path === path).length >= 2);
    assert.equal(await begin(path), id);
    assert.equal((await cluster.api("POST", `/v1/imports/${id}/cancel`, {})).status, 202);
    assert.equal((await ended(id)).state, "cancelled");
    await until(() => importFiles(id).length === 0);
  }
});

test("redirects are followed to allowed hosts, not elsewhere, and not for ever", async () => {
  const bytes = randomBytes(partBytes);
  server.put("/there", bytes);
  server.put("/moved", Buffer.alloc(1), redirectTo("/there?signature=1"));
  assert.equal((await ended(await begin("/moved"))).sha256, sha256(bytes));
  server.put("/round", Buffer.alloc(1), redirectTo("/round"));
  assert.match((await refusal(server.url + "/round")).detail, /more than 5 times/);
  for (const [to, reason] of [[`http://localhost:${server.port}/there`, /localhost is not among imports.url_hosts/],
    ["http://169.254.169.254/latest/meta-data/", /169\.254\.169\.254 is not among/], ["file:///etc/passwd", /expected http/],
    ["gopher://127.0.0.1/", /expected http/], [`http://user:pass@127.0.0.1:${server.port}/there`, /user/]]) {
    server.put("/away", Buffer.alloc(1), redirectTo(to));
    const error = await refusal(server.url + "/away");
    assert.equal(error.code, "url_refused", to);
    assert.match(error.detail, reason);
    assert.ok(!error.detail.includes("pass"), error.detail);
  }
});

test("only hosts that the configuration names, and only the web", async () => {
  const before = server.requests.length;
  for (const url of [`http://localhost:${server.port}/there`, "http://other.example/film", "ftp://127.0.0.1/film", "file:///etc/passwd", "film.mov", "http://[::1]/film"]) {
    assert.equal((await refusal(url)).code, "url_refused", url);
  }
  assert.equal(server.requests.length, before);
  assert.equal((await refusal(`${server.url}/absent`)).code, "url_failed");
  assert.equal((await refusal("http://127.0.0.1:9/film")).code, "url_unreachable");
  server.put("/empty", Buffer.alloc(0));
  assert.equal((await refusal(`${server.url}/empty`)).code, "url_failed");
  assert.equal((await refusal(`${server.url}/there`, { title: "sintel-2010" })).code, "title_exists");
});

test("users and signatures reach the server, and nothing else", async () => {
  const bytes = randomBytes(2 * partBytes);
  server.put("/private", bytes, { each: ({ request, response }) => {
    if (request.headers.authorization === `Basic ${Buffer.from("vendor:hunter2").toString("base64")}` && request.url.endsWith("?sig=topsecret")) return false;
    response.writeHead(403).end();
    return true;
  } });
  const url = `http://vendor:hunter2@127.0.0.1:${server.port}/private?sig=topsecret`;
  const answer = await post({ url, title: "private" });
  assert.equal(answer.status, 202);
  const status = await ended(answer.body.import);
  assert.equal(status.sha256, sha256(bytes));
  assert.equal(status.from, `${server.url}/private`);
  const denied = await reelway(cluster, ["import", url.replace("hunter2", "hunter3")], { json: false });
  assert.equal(denied.status, 1);
  assert.match(denied.err, /url_failed.*403/);
  const list = await reelway(cluster, ["imports"], { json: false });
  const log = readFileSync(cluster.origin.logFile, "utf8");
  for (const text of [log, JSON.stringify(answer.body), JSON.stringify(status), denied.out, denied.err, list.out]) {
    for (const secret of ["topsecret", "hunter2", "hunter3"]) assert.ok(!text.includes(secret), text);
  }
});

test("an address that is not public is not connected to, whatever the host's name", async () => {
  await restartWith({ "imports.url_private": false, "imports.url_hosts": ["127.0.0.1", "localhost", "*.localhost"] });
  const before = server.connections;
  for (const host of ["127.0.0.1", "localhost", "2130706433", "0x7f.0.0.1"]) {
    const error = await refusal(`http://${host}:${server.port}/there`);
    assert.equal(error.code, "url_refused", host);
    assert.match(error.detail, /(127\.0\.0\.1|::1), which is no public address/);
  }
  assert.equal(server.connections, before);
});

test("over https only a certificate that is vouched for will do, and no redirect leads out of it", async () => {
  const [key, cert] = [join(state, "tls.key"), join(state, "tls.pem")];
  const made = spawnSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", cert,
    "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"]);
  assert.equal(made.status, 0, String(made.stderr));
  const secure = await new FilmServer({ tls: { key: readFileSync(key), cert: readFileSync(cert) } }).start();
  try {
    const bytes = randomBytes(partBytes);
    secure.put("/film", bytes);
    secure.put("/down", Buffer.alloc(1), redirectTo(`${server.url}/there`));
    await restartWith({ "imports.url_private": true });
    assert.equal((await refusal(`${secure.url}/film`)).code, "url_unreachable");
    await restartWith({ "imports.url_ca_file": cert });
    const answer = await post({ url: `${secure.url}/film`, title: "secure" });
    assert.equal((await ended(answer.body.import)).sha256, sha256(bytes));
    assert.match((await refusal(`${secure.url}/down`)).detail, /from https to http/);
  } finally {
    await secure.stop();
  }
});

test("a film for which there is no room is refused", async () => {
  await restartWith({ "ingest.free_bytes_min": "4000000GiB" });
  assert.equal((await refusal(`${server.url}/there`)).code, "disk_full");
});
