// What the measurements of rentals stand on: a cluster with a film, and accounts that have rented it and play it.

import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { Cluster } from "../cluster.mjs";
import { makeFilm, onServerCore } from "./groups.mjs";
import { clientCore, serverCore } from "./measure.mjs";
import { pin, runClient, startClient } from "./processes.mjs";

const title = "bench";
const callsAtOnce = 16;
const inStepLimitMs = 20_000;
// The last segments are of half a second, so that there are small ones; those of the tallest video are megabytes.
const filmSeconds = 12.5;

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
// The wall clock with fractions, as the load client's log has it.
export const wallMs = () => performance.timeOrigin + performance.now();

async function inParallel(items, work) {
  const results = new Array(items.length);
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < items.length; index = next++) results[index] = await work(items[index]);
  };
  await Promise.all(Array.from({ length: callsAtOnce }, worker));
  return results;
}

async function call(cluster, method, path, body) {
  const answer = await cluster.api(method, path, body);
  if (answer.status !== 200 && answer.status !== 201) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

async function bytesOf(url) {
  const answer = await fetch(url);
  const bytes = Buffer.from(await answer.arrayBuffer());
  if (answer.status !== 200) throw new Error(`${url}: status ${answer.status} ${answer.headers.get("reelway-error")}`);
  return bytes;
}

// The media segments of a playback, the smallest first: { path (what follows the token), bytes }.
async function segmentsOf(masterUrl) {
  const uris = (bytes, base) => [...bytes.toString().matchAll(/^(?!#)(\S+)$|URI="([^"]+)"/gm)].map((match) => new URL(match[1] ?? match[2], base).href);
  const playlists = new Set(uris(await bytesOf(masterUrl), masterUrl).filter((url) => url.endsWith(".m3u8")));
  const segments = [];
  for (const playlist of playlists) {
    for (const url of uris(await bytesOf(playlist), playlist).filter((uri) => uri.endsWith(".m4s"))) {
      segments.push({ path: new URL(url).pathname.split("/").slice(3).join("/"), bytes: (await bytesOf(url)).length });
    }
  }
  if (segments.length === 0) throw new Error(`${masterUrl}: no media segment was found`);
  return segments.sort((a, b) => a.bytes - b.bytes);
}

export class Rentals {
  // accounts: how many rent the film and play it
  static async start({ bin, state, cleanup, say }, { edges, accounts }) {
    const rentals = new Rentals();
    const cluster = new Cluster({
      bin, state: join(state, "cluster"), edges, wrapEdge: onServerCore, originSettings: { "log.level": "warn" },
      edgeSettings: { access_log: "", "log.level": "warn" } });
    Object.assign(rentals, { cluster, state, cleanup, program: join(bin, "reelway-load") });
    cleanup(() => cluster.stop());
    await cluster.start();
    cluster.cli("ingest", makeFilm(state, filmSeconds), "--title", title);
    // Only now: making the film and transcoding it may use the whole machine.
    pin(cluster.origin.child.pid, serverCore);
    pin(process.pid, clientCore);
    cleanup(() => pin(process.pid, `0-${cpus().length - 1}`));
    say(`  ${accounts} accounts rent the film`);
    rentals.playbacks = await inParallel(Array.from({ length: accounts }, (_, number) => `viewer-${number}`), (account) => rentals.#rent(account));
    rentals.segments = await segmentsOf(rentals.playbacks[0].master_url);
    await rentals.#edgesInStep();
    for (const edge of cluster.edges) await rentals.#askOnce(edge, rentals.segments[0]);
    return rentals;
  }

  get edges() { return this.cluster.edges; }

  async #rent(account) {
    const order = await call(this.cluster, "POST", "/v1/orders", { account, title, kind: "rent", idempotency_key: randomUUID() });
    const playback = await call(this.cluster, "POST", "/v1/playback", { account, title, device: "bench" });
    if (playback.entitlement !== order.entitlement) throw new Error(`${account}: the playback is of another rental than was ordered`);
    return playback;
  }

  async #edgesInStep() {
    for (const end = Date.now() + inStepLimitMs; ;) {
      const { edges } = await call(this.cluster, "GET", "/v1/edges");
      if (edges.length === this.edges.length && edges.every((edge) => edge.in_step)) return;
      if (Date.now() > end) throw new Error(`the edges are not in step with the origin: ${JSON.stringify(edges)}`);
      await sleep(50);
    }
  }

  // Every session's token is known to the edge from then on, and the segment is in its cache.
  async #askOnce(edge, segment) {
    const file = this.urlsFile(`warm-${edge.name}`, this.playbacks.map((playback) => this.url(edge, playback, segment)));
    await runClient(clientCore, this.program, ["bench", "--urls-file", file, "--connections", "8", "--requests", String(this.playbacks.length), "--json"]);
  }

  url(edge, playback, segment) { return `http://${edge.ready.public}/t/${playback.token}/${segment.path}`; }

  urlsFile(name, urls) {
    const file = join(this.state, `${name}.txt`);
    writeFileSync(file, urls.join("\n") + "\n", { mode: 0o600 });
    return file;
  }

  // Every session asks this edge for the segment once in `everyMs`, for `seconds`. `ended` gives the report and the log.
  play(edge, segment, { everyMs, seconds, expectStatus = 200 }) {
    const urls = this.urlsFile(`sessions-${edge.name}`, this.playbacks.map((playback) => this.url(edge, playback, segment)));
    const log = join(this.state, `exchanges-${edge.name}.txt`);
    return this.pace(["--urls-file", urls, "--own", "--connections", String(this.playbacks.length), "--every", `${everyMs}ms`,
      "--duration", `${Math.round(seconds * 1000)}ms`, "--expect-status", String(expectStatus), "--timeout", "5s"], { log });
  }

  // reelway-load pace on the client's core. An exit code of 1 only says that some exchanges failed: its report tells which.
  pace(args, { log = null, wrapper = [] } = {}) {
    const client = startClient(clientCore, this.program, ["pace", ...args, "--json", ...(log ? ["--log", log] : [])], wrapper);
    this.cleanup(() => client.stop());
    const ended = client.ended.then(({ code, out, err }) => {
      if (code !== 0 && !(code === 1 && out.startsWith("{"))) throw new Error(`reelway-load pace ended with ${code}: ${err}${out}`);
      return { report: JSON.parse(out), exchanges: log ? readLog(log) : [] };
    });
    ended.catch(() => {});  // whoever waits for it hears of it; until then nobody does
    return ended;
  }
}

function readLog(file) {
  return readFileSync(file, "utf8").trimEnd().split("\n").map((line) => {
    const [session, dueMs, firstByteMs, endMs, status, bytes] = line.split(" ").map(Number);
    return { session, dueMs, firstByteMs, endMs, status, bytes };
  });
}

export const coresUsed = `cores ${serverCore} (origin and edges) and ${clientCore} (clients)`;
