// What is wrong gets one clear error that says what, where and what to do; nothing half-made is visible, nothing is lost.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync, copyFileSync, existsSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Cluster } from "../../tools/cluster.mjs";
import { ffmpeg, makeFilm } from "../support/films.mjs";
import { get } from "../support/playing.mjs";

const bin = process.env.REELWAY_BIN;
const state = mkdtempSync(join(tmpdir(), "reelway-bad-"));
let cluster, good;

before(async () => {
  cluster = await new Cluster({ bin, state, edges: 1 }).start();
  good = makeFilm(state, { seconds: 4 });
  cluster.cli("ingest", good, "--title", "good-film");
});

after(async () => {
  await cluster?.stop();
  rmSync(state, { recursive: true, force: true });
});

function ingestFailure(file, title) {
  try {
    cluster.cli("ingest", file, "--title", title);
  } catch (error) {
    assert.ok(error.answer, error.message);
    assert.ok(error.answer.remedy.length > 0);
    return error.answer;
  }
  throw new Error(`${file} was taken`);
}

const titleState = async (title) => (await cluster.api("GET", `/v1/titles/${title}`)).body;
const playable = async (title) => (await cluster.api("POST", "/v1/play-urls", { title })).status === 200;

async function refused(file, title, code) {
  const error = ingestFailure(file, title);
  assert.equal(error.code, code, JSON.stringify(error));
  assert.equal(await playable(title), false);
  const folder = join(state, "origin", "titles", title);
  assert.ok(!existsSync(folder) || readdirSync(folder).length === 0, `${folder} is visible`);
  assert.equal(await playable("good-film"), true);
}

test("a file that is no film", async () => {
  const file = join(state, "letter.mp4");
  writeFileSync(file, "Dear operator, this is not a film. ".repeat(4000));
  await refused(file, "no-film", "media_unreadable");
});

test("an empty file", async () => {
  const file = join(state, "empty.mp4");
  writeFileSync(file, "");
  const error = ingestFailure(file, "empty-film");
  assert.ok(["media_unreadable", "http_bad_request"].includes(error.code), JSON.stringify(error));
});

test("a truncated film, with its index at the front", async () => {
  const whole = join(state, "front.mp4");
  ffmpeg(["-i", good, "-c", "copy", "-movflags", "+faststart", whole]);
  const file = join(state, "truncated.mp4");
  copyFileSync(whole, file);
  truncateSync(file, Math.floor(readFileSync(whole).length * 0.6));
  await refused(file, "truncated", "media_truncated");
});

test("a truncated film, with its index lost", async () => {
  const file = join(state, "beheaded.mp4");
  copyFileSync(good, file);
  truncateSync(file, Math.floor(readFileSync(good).length * 0.6));
  const error = ingestFailure(file, "beheaded");
  assert.ok(["media_truncated", "media_unreadable"].includes(error.code), JSON.stringify(error));
});

test("a film with no audio", async () => {
  await refused(makeFilm(state, { seconds: 2, audio: false }), "no-audio", "media_no_audio");
});

test("a film with no video", async () => {
  await refused(makeFilm(state, { seconds: 2, video: false }), "no-video", "media_no_video");
});

test("a film with no duration", async () => {
  const file = join(state, "nothing.mp4");
  ffmpeg(["-i", good, "-c", "copy", "-t", "0", file]);
  const error = ingestFailure(file, "nothing");
  assert.ok(["media_zero_duration", "media_unreadable", "media_no_video"].includes(error.code), JSON.stringify(error));
});

test("a second upload of the same title, and a new version on request", async () => {
  const error = ingestFailure(good, "good-film");
  assert.equal(error.code, "title_exists");
  assert.match(error.remedy, /--new-version/);
  const before_ = await titleState("good-film");
  cluster.cli("ingest", good, "--title", "good-film", "--new-version");
  const after_ = await titleState("good-film");
  assert.equal(before_.version, "v1");
  assert.equal(after_.version, "v2");
});

test("a title id that is none", () => {
  assert.equal(ingestFailure(good, "Not A Title").code, "title_id_invalid");
});

test("a body shorter than announced", async () => {
  const begun = await cluster.api("POST", "/v1/uploads", { filename: "x.mp4", size_bytes: 1000, title: "short-body" });
  assert.equal(begun.status, 201);
  const [host, port] = cluster.ports.api.split(":");
  await new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), host, () => {
      socket.end(`PUT ${begun.body.put} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${cluster.secrets.api}\r\nContent-Length: 1000\r\n\r\nonly this`);
    });
    socket.on("data", (piece) => assert.match(String(piece), /upload_incomplete/));
    socket.on("close", resolve);
    socket.on("error", reject);
  });
  const made = await cluster.api("POST", "/v1/titles", { title: "short-body", upload: begun.body.upload });
  assert.equal(made.status >= 400, true);
  const whole = readFileSync(good);
  const again = await cluster.api("POST", "/v1/uploads", { filename: "x.mp4", size_bytes: whole.length, title: "short-body" });
  assert.equal(again.status, 201);
});

test("a body of another length than the upload announced", async () => {
  const begun = await cluster.api("POST", "/v1/uploads", { filename: "x.mp4", size_bytes: 10, title: "other-length" });
  const answer = await fetch(`http://${cluster.ports.api}${begun.body.put}`, { method: "PUT", headers: cluster.bearer("api"), body: "123456789012345" });
  assert.equal(answer.status >= 400 && answer.status < 500, true);
});

test("a full disk during upload: refused, nothing kept, everything else goes on", async () => {
  const folder = mkdtempSync(join(tmpdir(), "reelway-full-"));
  const small = new Cluster({
    bin, state: folder, edges: 0, originSettings: { "ingest.free_bytes_min": "1MiB", data_dir: join(folder, "disk/origin") },
    wrapOrigin: ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", `mkdir -p ${folder}/disk && mount -t tmpfs -o size=128m tmpfs ${folder}/disk && exec "$@"`, "sh"],
  });
  try {
    await small.start();
    const begun = await small.api("POST", "/v1/uploads", { filename: "big.mp4", size_bytes: 60 << 20, title: "big" });
    assert.equal(begun.status, 201, JSON.stringify(begun.body));
    const second = await small.api("POST", "/v1/uploads", { filename: "big2.mp4", size_bytes: 500 << 20, title: "big-two" });
    assert.equal(second.body.error?.code, "disk_full");
    // Two uploads that each fit, but not together: the disk fills while the second body is on its way.
    const third = await small.api("POST", "/v1/uploads", { filename: "big3.mp4", size_bytes: 70 << 20, title: "big-three" });
    assert.equal(third.status, 201, JSON.stringify(third.body));
    const put = (upload, bytes) => fetch(`http://${small.ports.api}${upload.body.put}`, { method: "PUT", headers: small.bearer("api"), body: Buffer.alloc(bytes) });
    assert.equal((await put(begun, 60 << 20)).status, 200);
    const full = await put(third, 70 << 20).then(async (answer) => ({ status: answer.status, body: await answer.json() }));
    assert.equal(full.body.error.code, "disk_full");
    assert.equal((await small.api("GET", "/v1/titles")).status, 200);
  } finally {
    await small.stop();
    rmSync(folder, { recursive: true, force: true });
  }
});

// Start-up errors: one line that names file, line, option and what was expected; exit code 78.
function startError(program, config) {
  const file = join(state, "bad.yaml");
  writeFileSync(file, config);
  const run = spawnSync(join(bin, program), ["--config", file], { encoding: "utf8", timeout: 20_000 });
  assert.notEqual(run.status, 0);
  return { text: run.stderr, status: run.status, file };
}

test("a missing key, an unknown key, a wrong value: named with file and line", () => {
  const goodConfig = readFileSync(join(state, "edge-1.yaml"), "utf8");
  const missing = startError("reelway-edge", goodConfig.replace(/^edge_id:.*\n/m, ""));
  assert.match(missing.text, /config_key_missing.*edge_id/);
  assert.equal(missing.status, 78);
  const unknown = startError("reelway-edge", `${goodConfig}edge_name: x\n`);
  assert.match(unknown.text, /config_key_unknown/);
  assert.match(unknown.text, new RegExp(`bad\\.yaml:${goodConfig.split("\n").length}.*edge_name`));
  const wrong = startError("reelway-origin", readFileSync(join(state, "origin.yaml"), "utf8") + "hls:\n  units_per_segment: many\n");
  assert.match(wrong.text, /config_value_invalid.*units_per_segment/);
  const broken = startError("reelway-origin", "data_dir: [unclosed\n");
  assert.match(broken.text, /config_syntax/);
});

test("a port in use", () => {
  const edge = startError("reelway-edge", readFileSync(join(state, "edge-1.yaml"), "utf8")
    .replace("127.0.0.1:0", cluster.edges[0].ready.public).replace(join(state, "edge-1\""), join(state, "edge-x\"")));
  assert.match(edge.text, /port_in_use/);
  assert.match(edge.text, new RegExp(cluster.edges[0].ready.public));
});

test("an admin port in use", () => {
  const config = readFileSync(join(state, "edge-1.yaml"), "utf8").replace(join(state, "edge-1\""), join(state, "edge-y\""));
  const edge = startError("reelway-edge", config.replace(/(admin:\s+listen: )"127\.0\.0\.1:0"/, `$1"${cluster.edges[0].ready.admin}"`));
  assert.match(edge.text, /port_in_use/);
  assert.match(edge.text, new RegExp(cluster.edges[0].ready.admin));
});

test("a second origin on the same data", () => {
  const run = startError("reelway-origin", readFileSync(join(state, "origin.yaml"), "utf8").replaceAll(/127\.0\.0\.1:\d+/g, "127.0.0.1:0"));
  assert.match(run.text, /store_unavailable/);
});

test("a hostile request gets an answer and the servers live on", async () => {
  const [host, port] = cluster.edges[0].ready.public.split(":");
  for (const bytes of ["GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", "\x16\x03\x01\x02\x00", "GET " + "a".repeat(100_000), "POST /t/x/y/v1/z HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"]) {
    await new Promise((resolve) => {
      const socket = net.connect(Number(port), host, () => socket.write(bytes));
      socket.on("data", () => {});
      socket.on("error", resolve);
      socket.on("close", resolve);
    });
  }
  assert.equal((await get(cluster.cli("play-url", "good-film").url)).status, 200);
});
