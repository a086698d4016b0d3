// `reelway ingest` over an origin that dies, a connection that is cut, and its own death.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Cluster } from "../../tools/cluster.mjs";
import { makeFilm } from "../support/films.mjs";
import { until } from "../support/playing.mjs";
import { TusProxy } from "../support/tus_proxy.mjs";

const mib = 1 << 20;
const state = mkdtempSync(join(tmpdir(), "reelway-resume-"));
let cluster, proxy, film, sha256;

before(async () => {
  cluster = new Cluster({ bin: process.env.REELWAY_BIN, state, edges: 0, originSettings: { "ingest.free_bytes_min": "1MiB", "log.level": "warn" } });
  await cluster.startOrigin();
  proxy = await new TusProxy(cluster.ports.api).listen();
  writeFileSync(join(state, "reelway.yaml"), `origin:\n  url: http://${proxy.address}\n  credential_file: ${cluster.secretFile("api")}\n`);
  // A short film made long by a box that every reader passes over, so that it can be cut in many places.
  film = makeFilm(state, { seconds: 4, width: 320, height: 240 });
  const free = Buffer.alloc(40 * mib);
  free.writeUInt32BE(free.length, 0);
  free.write("free", 4);
  appendFileSync(film, free);
  sha256 = createHash("sha256").update(readFileSync(film)).digest("hex");
});

after(async () => {
  await proxy?.close();
  await cluster?.stop();
  rmSync(state, { recursive: true, force: true });
});

function ingest(...args) {
  const child = spawn(join(process.env.REELWAY_BIN, "reelway"), ["ingest", film, ...args], { env: { ...process.env, REELWAY_CONFIG: join(state, "reelway.yaml") } });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (piece) => { said += piece; });
  const ended = new Promise((resolve) => child.once("close", (code, signal) => resolve({ code, signal, said })));
  return { child, ended };
}

const titleSum = async (title) => (await cluster.api("GET", `/v1/titles/${title}`)).body.versions[0].sha256;
const nothingTwice = () => assert.deepEqual(proxy.patches.filter((one) => one.offset < one.acknowledged), []);

test("it goes on after the origin was killed and the connection cut", async () => {
  let restarted;
  for (const place of [5, 15, 30]) proxy.at(place * mib, () => proxy.cut());
  proxy.at(22 * mib, () => { restarted = cluster.origin.kill().then(() => cluster.startOrigin()); });
  const { code, said } = await ingest("--title", "stormy").ended;
  assert.equal(code, 0, said);
  await restarted;
  assert.equal(proxy.actions.length, 0);
  assert.equal(await titleSum("stormy"), sha256);
  assert.match(said, /broke off and goes on/);
  nothingTwice();
});

test("called again after its death it goes on where it was, and says what it knows of the film", async () => {
  const before = proxy.bodyBytes;
  const first = ingest("--title", "again");
  proxy.at(before + 20 * mib, () => first.child.kill("SIGKILL"));
  assert.equal((await first.ended).signal, "SIGKILL");
  const unfinished = async () => (await cluster.api("GET", "/v1/uploads")).body.uploads.find((one) => one.title === "again");
  await until("what came is kept", async () => (await unfinished()).offset > 10 * mib);
  const kept = (await unfinished()).offset;
  const sentBefore = proxy.bodyBytes;
  const { code, said } = await ingest("--title", "again").ended;
  assert.equal(code, 0, said);
  assert.match(said, /begun before goes on at/);
  assert.match(said, /stormy\/v1 has the same bytes/);
  assert.equal(await titleSum("again"), sha256);
  assert.ok(proxy.bodyBytes - sentBefore <= readFileSync(film).length - kept, "it sent more than was missing");
  nothingTwice();
});

test("a film that was changed since is another upload", async () => {
  const before = proxy.bodyBytes;
  const first = ingest("--title", "changed");
  proxy.at(before + 20 * mib, () => first.child.kill("SIGKILL"));
  await first.ended;
  appendFileSync(film, Buffer.from([0, 0, 0, 8, 0x66, 0x72, 0x65, 0x65]));
  const { code, said } = await ingest("--title", "changed").ended;
  assert.equal(code, 0, said);
  assert.doesNotMatch(said, /goes on at/);
  assert.equal(await titleSum("changed"), createHash("sha256").update(readFileSync(film)).digest("hex"));
});
