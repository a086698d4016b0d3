// The disk fills up, to the last byte, at each stage of a film's way in: the job says so and why, nothing is lost, and
// when there is room again it goes on by itself and publishes the bytes of an undisturbed run.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { closeSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Cluster } from "../../tools/cluster.mjs";
import { makeFilm } from "../support/films.mjs";

const bin = process.env.REELWAY_BIN;
const folder = mkdtempSync(join(tmpdir(), "reelway-full-disk-"));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// The origin's data lies on a small file system of its own, which only it and who looks through its process see.
const cluster = new Cluster({
  bin, state: folder, edges: 0,
  originSettings: { "ingest.free_bytes_min": "64MiB", "transcode.jobs": 1, data_dir: join(folder, "disk/origin") },
  wrapOrigin: ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", `mkdir -p ${folder}/disk && mount -t tmpfs -o size=400m tmpfs ${folder}/disk && exec "$@"`, "sh"],
});
const inside = (path) => `/proc/${cluster.origin.child.pid}/root${folder}/disk/${path}`;
const film = () => makeFilm(folder, { seconds: 40, width: 480, height: 270, rate: 25 });

before(() => cluster.start());
after(async () => {
  await cluster.stop();
  rmSync(folder, { recursive: true, force: true });
});

function fill() {
  const file = openSync(inside("ballast"), "w");
  const piece = Buffer.alloc(1 << 20);
  for (let size = piece.length; size >= 1;) {
    try {
      if (writeSync(file, piece, 0, size) < size) size >>= 1;
    } catch (error) {
      assert.equal(error.code, "ENOSPC");
      size >>= 1;
    }
  }
  closeSync(file);
}
const makeRoom = () => rmSync(inside("ballast"));

const tus = (method, path, headers, body) =>
  fetch(`http://${cluster.ports.api}${path}`, { method, body, headers: { ...cluster.bearer("api"), "Tus-Resumable": "1.0.0", ...headers } });

async function beginUpload(size, title) {
  const made = await tus("POST", "/v1/tus", { "Upload-Length": size, "Upload-Metadata": `filename ${btoa("film.mp4")},title ${btoa(title)}` });
  assert.equal(made.status, 201, await made.text());
  return new URL(made.headers.get("Location"), `http://${cluster.ports.api}`).pathname;
}
const patch = (path, offset, body) => tus("PATCH", path, { "Upload-Offset": offset, "Content-Type": "application/offset+octet-stream" }, body);
const offsetOf = async (path) => Number((await tus("HEAD", path, {})).headers.get("Upload-Offset"));
const job = async (id) => (await cluster.api("GET", `/v1/jobs/${id}`)).body;

async function until(id, what, limitMs = 120_000) {
  for (const end = Date.now() + limitMs; ;) {
    const seen = await job(id);
    if (what(seen)) return seen;
    assert.notEqual(seen.state, "failed", JSON.stringify(seen.error));
    if (Date.now() > end) throw new Error(`not seen: ${what}; ${JSON.stringify(seen)}\n${cluster.origin.logTail(40)}`);
    await sleep(10);
  }
}

async function order(upload, title) {
  const made = await cluster.api("POST", "/v1/titles", { title, upload: upload.split("/").at(-1) });
  return made;
}

function published(title) {
  const place = inside(`origin/titles/${title}/v1`);
  return readdirSync(place).sort().map((name) => `${name} ${createHash("sha256").update(readFileSync(join(place, name))).digest("hex")}`);
}

test("a disk that fills up at every stage costs time and nothing else", async () => {
  const bytes = readFileSync(film());
  const clean = await beginUpload(bytes.length, "clean");
  assert.equal((await patch(clean, 0, bytes)).status, 204);
  await until((await order(clean, "clean")).body.job, (seen) => seen.state === "done");
  const expected = published("clean");

  // While the upload comes.
  const half = bytes.length >> 1;
  const upload = await beginUpload(bytes.length, "film");
  assert.equal((await patch(upload, 0, bytes.subarray(0, half))).status, 204);
  fill();
  const refused = await patch(upload, half, bytes.subarray(half));
  assert.equal(refused.status, 507);
  assert.equal((await refused.json()).error.code, "disk_full");
  const kept = await offsetOf(upload);
  assert.ok(kept >= half, `${kept} of ${half} bytes are kept`);
  makeRoom();
  assert.equal((await patch(upload, kept, bytes.subarray(kept))).status, 204);

  // When the film is ordered.
  fill();
  const early = await order(upload, "film");
  assert.equal(early.status, 507, JSON.stringify(early.body));
  assert.equal(early.body.error.code, "disk_full");
  makeRoom();
  const made = await order(upload, "film");
  assert.equal(made.status, 202, JSON.stringify(made.body));
  const id = made.body.job;

  // While it is checked; while samples are encoded; while its parts are made, early and at the last of the video; while
  // what was made is verified.
  const running = (seen) => seen.making.find((part) => part.state === "running" && part.part.startsWith("video"));
  const stages = [
    ["quality", (seen) => seen.stage === "quality"],
    ["rates", (seen) => seen.stage === "rates"],
    ["a part", (seen) => seen.stage === "transcode" && running(seen)],
    ["the last part", (seen) => seen.stage === "transcode" && running(seen) && !seen.making.some((part) => part.state === "waiting" && part.part.startsWith("video"))],
    ["verify", (seen) => seen.stage === "verify"],
  ];
  for (const [name, reached] of stages) {
    await until(id, reached);
    fill();
    const held = await until(id, (seen) => seen.state === "held");
    assert.equal(held.error.code, "disk_full", name);
    assert.match(held.error.detail, /MiB are needed and \d+ MiB are free|MiB left|while/, name);
    makeRoom();
  }
  const done = await until(id, (seen) => seen.state === "done");
  assert.equal(done.failures, 0);
  assert.deepEqual(published("film"), expected);
});
