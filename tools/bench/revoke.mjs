// How fast a revocation reaches the viewer. Sessions play at both edges all the time; some accounts are revoked, one
// after the other; the load client's log then says when the last answer of each began. A session asks four times a
// second, which would hide a delay of milliseconds, so a probe asks both edges about every other millisecond for the
// account whose turn it is. And how fast an answer is cut that a slow client is in the middle of.

import { readFileSync } from "node:fs";
import http from "node:http";
import net from "node:net";
import { clientCore, figureRow, quantile } from "./measure.mjs";
import { busyShare, coreTicks } from "./processes.mjs";
import { Rentals, coresUsed, sleep, wallMs } from "./rentals.mjs";

const everyMs = 250;
const gapMaxMs = 300;      // between two revocations; by chance, so that they fall anywhere between two requests
const callMs = 100;        // allowed for each, to know how long the sessions must play
const settleMs = 2_000;    // the sessions still play this long after the last revocation
const probeRestMs = 1;
const refusedLimitMs = 20_000;
const slowClients = 5;
const slowTakesBytes = 1 << 20;
const slowAsksBytes = 64 << 20;       // far more than the sockets of both ends hold
const stallMs = 500;                  // until the kernel has taken all that it has room for
const slowPollMs = 5;
const pipelinedBytesMax = 48 * 1024;  // an edge takes no more input than 64 KiB before it has answered
const cutLimitMs = 20_000;
const goalMs = 1_000;
const cutGoalMs = 5_000;

// When the origin's answer began to arrive: its revocation is acknowledged from then on.
function revoke(cluster, entitlement, agent) {
  return new Promise((resolve, reject) => {
    const sentMs = wallMs();
    const request = http.request(`http://${cluster.ports.api}/v1/entitlements/${entitlement}/revoke`,
      { method: "POST", agent, headers: { ...cluster.bearer("api"), "Content-Type": "application/json" } }, (answer) => {
        const ackMs = wallMs();
        let text = "";
        answer.on("data", (piece) => { text += piece; });
        answer.once("error", reject);
        answer.once("end", () => (answer.statusCode === 200 ? resolve({ sentMs, ackMs }) : reject(new Error(`revoke: ${answer.statusCode} ${text}`))));
      });
    request.once("error", reject);
    request.end(JSON.stringify({ reason: "measured" }));
  });
}

// Asks for the URL again and again until it is refused; when the last good answer began.
async function probe(url, agent, stop) {
  const ask = () => new Promise((resolve, reject) => {
    const request = http.get(url, { agent }, (answer) => {
      const begunMs = wallMs();
      answer.resume();
      // A revocation may cut an answer that has begun.
      answer.once("close", () => resolve({ status: answer.statusCode, begunMs }));
      answer.once("error", () => {});
    });
    request.once("error", reject);
  });
  for (let lastMs = 0; !stop.now; ) {
    const { status, begunMs } = await ask();
    if (status === 403) return lastMs;
    if (status !== 200) throw new Error(`${url}: status ${status}`);
    if (begunMs > stop.afterMs) throw new Error(`${new URL(url).host} still answers ${refusedLimitMs} ms after the revocation`);
    lastMs = begunMs;
    await sleep(probeRestMs);
  }
  throw new Error("a probe was stopped before it was refused");
}

// `count` different numbers below `limit`.
function chosen(count, limit) {
  const numbers = Array.from({ length: limit }, (_, index) => index);
  for (let at = 0; at < count; ++at) {
    const other = at + Math.floor(Math.random() * (limit - at));
    [numbers[at], numbers[other]] = [numbers[other], numbers[at]];
  }
  return numbers.slice(0, count);
}

// Asks for large segments one after the other, takes a little and then stops reading, so that the edge is in the middle
// of an answer for as long as it likes. Who does not read is not told of a reset, so the kernel's table is asked.
class SlowClient {
  constructor(url, segment) {
    const { hostname, port, pathname, host } = new URL(url);
    const request = `GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
    const count = Math.min(Math.ceil(slowAsksBytes / segment.bytes), Math.floor(pipelinedBytesMax / request.length));
    this.bytesAsked = count * segment.bytes;
    this.bytes = 0;
    this.socket = net.connect({ host: hostname, port: Number(port) });
    this.socket.write(request.repeat(count));
    this.socket.on("error", () => {});  // the reset: "close" follows
    this.closed = new Promise((resolve) => this.socket.once("close", resolve));
    this.stalled = new Promise((resolve, reject) => {
      this.socket.on("data", (piece) => this.#take(piece, resolve, reject));
      this.socket.once("close", () => reject(new Error(`a slow client was cut before its rental was revoked, after ${this.bytes} bytes`)));
    });
  }

  #take(piece, resolve, reject) {
    const head = this.bytes === 0 ? piece.toString("latin1", 0, 300) : "HTTP/1.1 200 ";
    if (!head.startsWith("HTTP/1.1 200 ")) reject(new Error(`a slow client was refused: ${head}`));
    this.bytes += piece.length;
    if (this.bytes < slowTakesBytes || this.resumed) return;
    this.socket.pause();
    setTimeout(resolve, stallMs);
  }

  get established() {
    const hex = (number, digits) => number.toString(16).toUpperCase().padStart(digits, "0");
    const ends = `0100007F:${hex(this.socket.localPort, 4)} 0100007F:${hex(this.socket.remotePort, 4)} 01 `;
    return readFileSync("/proc/net/tcp", "latin1").includes(ends);
  }

  // What had arrived before the cut can still be read.
  async takeTheRest() {
    this.resumed = true;
    this.socket.resume();
    await this.closed;
    return this.bytes;
  }
}

async function cutSlowClient(rentals, number, edge, agent) {
  const segment = rentals.segments.at(-1);
  const playback = rentals.playbacks[number];
  const client = new SlowClient(rentals.url(edge, playback, segment), segment);
  rentals.cleanup(() => client.socket.destroy());
  await client.stalled;
  if (!client.established) throw new Error(`a slow client's connection to ${edge.name} is not in /proc/net/tcp`);
  const { ackMs } = await revoke(rentals.cluster, playback.entitlement, agent);
  while (client.established) {
    if (wallMs() > ackMs + cutLimitMs) throw new Error(`a slow client at ${edge.name} was not cut within ${cutLimitMs} ms of its revocation`);
    await sleep(slowPollMs);
  }
  const cutMs = wallMs();
  const bytes = await client.takeTheRest();
  if (bytes >= client.bytesAsked) throw new Error(`a slow client at ${edge.name} was not slow enough: it had all ${bytes} bytes before it was cut`);
  return Math.max(0, cutMs - ackMs);
}

async function revokeOne(rentals, { session, gapMs }, agents) {
  const playback = rentals.playbacks[session];
  const stop = { now: false, afterMs: Infinity };
  const probes = rentals.edges.map((edge) => probe(rentals.url(edge, playback, rentals.segments[0]), agents.probes, stop));
  const probed = Promise.all(probes);
  probed.catch(() => {});  // awaited below
  try {
    await sleep(gapMs);
    const times = await revoke(rentals.cluster, playback.entitlement, agents.api);
    stop.afterMs = times.ackMs + refusedLimitMs;
    return { session, ...times, lastProbedMs: Math.max(...(await probed)) };
  } finally {
    stop.now = true;
  }
}

const isWhole = (exchange, segment) => exchange.status === 200 && exchange.bytes === segment.bytes;
const told = (edge, exchange) => `${edge.name}, session ${exchange.session}: status ${exchange.status}, ${exchange.bytes} bytes`;

// Throws when a session was refused that was not revoked, or one was not refused that was.
function checkAnswers(edge, { report, exchanges }, segment, revoked) {
  if (report.not_begun > 0) throw new Error(`${edge.name}: ${report.not_begun} requests could not be made: ${JSON.stringify(report)}`);
  if (report.errors_by_kind.connect > 0) throw new Error(`${edge.name}: connections were refused: ${report.first_error}`);
  const bySession = new Map(revoked.map((one) => [one.session, one]));
  const refused = new Set();
  for (const exchange of exchanges) {
    const one = bySession.get(exchange.session);
    const mayEnd = one !== undefined && exchange.endMs >= one.sentMs;
    if (!mayEnd && !isWhole(exchange, segment)) throw new Error(`${told(edge, exchange)}, although it was not revoked`);
    if (mayEnd && exchange.status !== 200 && exchange.status !== 403) throw new Error(`${told(edge, exchange)}, after its revocation`);
    if (mayEnd && exchange.status === 403) refused.add(exchange.session);
  }
  const never = revoked.filter((one) => !refused.has(one.session));
  if (never.length > 0) throw new Error(`${edge.name} never refused ${never.length} of the ${revoked.length} revoked sessions`);
}

async function checkReason(rentals, revoked) {
  for (const edge of rentals.edges) {
    for (const { session } of revoked) {
      const answer = await fetch(rentals.url(edge, rentals.playbacks[session], rentals.segments[0]));
      await answer.arrayBuffer();
      const reason = answer.headers.get("reelway-error");
      if (reason !== "entitlement_revoked") throw new Error(`${edge.name}: a revoked session is refused with ${answer.status} ${reason}`);
    }
  }
}

// For each revocation: from when it was sent, and from its acknowledgement, to the last answer begun at any edge; 0 if
// none began after it.
function delays(revoked, played) {
  const lastBegunMs = new Map(revoked.map(({ session, lastProbedMs }) => [session, lastProbedMs]));
  for (const { exchanges } of played) {
    for (const { session, status, firstByteMs } of exchanges) {
      if (status === 200 && lastBegunMs.has(session)) lastBegunMs.set(session, Math.max(lastBegunMs.get(session), firstByteMs));
    }
  }
  const since = (moment) => revoked.map((one) => Math.max(0, lastBegunMs.get(one.session) - one[moment]));
  return { fromAck: since("ackMs"), fromSent: since("sentMs") };
}

function rowsOf(work, taken, cuts, clientBusy) {
  const row = (unit, ours, more) => figureRow({ work, unit, ours, clientBusy, ...more });
  const { fromAck, fromSent } = taken;
  return [
    row("ms from the acknowledgement to the last answer begun, p50", quantile(fromAck, 0.5)),
    row("ms from the acknowledgement to the last answer begun, p99", quantile(fromAck, 0.99), { peer: "goal", peerFigure: goalMs, goal: 1 }),
    row("ms from the acknowledgement to the last answer begun, max", Math.max(...fromAck)),
    row("ms from the sent revocation to the last answer begun, p99", quantile(fromSent, 0.99)),
    figureRow({
      work: `a slow client's answer is cut, the slowest of ${cuts.length}`, unit: "ms from the acknowledgement to the reset", ours: Math.max(...cuts),
      peer: "goal", peerFigure: cutGoalMs, goal: 1, rounds: cuts.length, clientBusy }),
  ];
}

export async function measureRevoke(context) {
  const { quick, say, cleanup } = context;
  const [sessions, revocations] = quick ? [100, 20] : [500, 100];
  const rentals = await Rentals.start(context, { edges: 2, accounts: sessions });
  const segment = rentals.segments[0];
  const agents = { api: new http.Agent({ keepAlive: true }), probes: new http.Agent({ keepAlive: true }) };
  cleanup(() => Object.values(agents).forEach((agent) => agent.destroy()));
  const numbers = chosen(revocations + slowClients, sessions);
  const plan = numbers.slice(slowClients).map((session) => ({ session, gapMs: Math.random() * gapMaxMs }));
  const playMs = 1_000 + plan.reduce((sum, { gapMs }) => sum + gapMs + callMs, 0) + settleMs;
  say(`revoke: ${sessions} sessions ask each of 2 edges for ${segment.bytes} bytes every ${everyMs} ms, ${revocations} are revoked in ${(playMs / 1000).toFixed(0)} s; ${coresUsed}`);
  const before = coreTicks(clientCore);
  const beganMs = wallMs();
  const playing = rentals.edges.map((edge) => rentals.play(edge, segment, { everyMs, seconds: playMs / 1000, expectStatus: 0 }));
  await sleep(1_000);
  const revoked = [];
  for (const one of plan) revoked.push(await revokeOne(rentals, one, agents));
  if (wallMs() + settleMs / 2 > beganMs + playMs) throw new Error("the revocations took so long that the sessions ended before them");
  const played = await Promise.all(playing);
  const clientBusy = busyShare(before, coreTicks(clientCore));
  rentals.edges.forEach((edge, index) => checkAnswers(edge, played[index], segment, revoked));
  await checkReason(rentals, revoked);
  const taken = delays(revoked, played);
  const lateCounts = played.map(({ report }) => report.late).join(" and ");
  say(`  ${taken.fromAck.filter((ms) => ms === 0).length} of ${revoked.length} had no answer begun after the acknowledgement; ` +
    `client core ${Math.round(clientBusy * 100)} % busy; ${lateCounts} late requests`);
  const cuts = [];
  for (const [index, number] of numbers.slice(0, slowClients).entries()) cuts.push(await cutSlowClient(rentals, number, rentals.edges[index % 2], agents.api));
  say(`  slow clients were cut after ${cuts.map((ms) => ms.toFixed(0)).join(", ")} ms`);
  return rowsOf(`a rental is revoked while ${sessions} sessions play at 2 edges`, taken, cuts, clientBusy);
}
