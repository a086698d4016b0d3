// What a flood of junk tokens costs those who play. Sessions play at one edge, first in quiet, then beside 20,000
// requests a second whose tokens have the right form, key and times, and a wrong signature.

import { randomBytes } from "node:crypto";
import { clientCore, figureRow, median, quantile, serverCore } from "./measure.mjs";
import { busyShare, coreTicks, residentMiB } from "./processes.mjs";
import { Rentals, coresUsed, sleep } from "./rentals.mjs";

const everyMs = 250;
const junkRate = 20_000;
const junkTokens = 20_000;
const junkConnections = 128;
const junkSources = "127.0.0.2,127.0.0.3,127.0.0.4,127.0.0.5";
const junkAnswers = new Set(["403", "429", "503"]);
const signatureBytes = 64;
const leadMs = 500;    // the sessions play this long before the flood begins, and about as long after it
const samplesMs = 100;
const ratioGoal = 2;
// The client that measures must not wait for the one that floods: it takes the core whenever it wants it.
// Nor for the end of one of its calls to the kernel, which cannot be interrupted: a few operations each.
const floodBatch = 16;
const floodWrapper = ["chrt", "--idle", "0"];

function junkOf(token) {
  const bytes = Buffer.from(token, "base64url");
  return Buffer.concat([bytes.subarray(0, -signatureBytes), randomBytes(signatureBytes)]).toString("base64url");
}

// Throws unless every answer was a good one.
function checkGood({ report }, what) {
  const statuses = Object.keys(report.statuses);
  if (report.errors > 0 || report.not_begun > 0 || statuses.length !== 1 || statuses[0] !== "200") {
    throw new Error(`good requests ${what} did not all get 200: ${JSON.stringify(report)}`);
  }
}

// Throws unless the flood was as large as it was meant to be, and none of it was let in.
function checkJunk({ report }, seconds) {
  const unexpected = Object.keys(report.statuses).filter((status) => !junkAnswers.has(status));
  if (unexpected.length > 0) throw new Error(`junk tokens were answered with ${unexpected.join(", ")}: ${JSON.stringify(report)}`);
  if (report.due < junkRate * seconds || report.requests < report.due) throw new Error(`fewer junk requests were answered than ${junkRate} a second: ${JSON.stringify(report)}`);
  const tooLongS = seconds * 1.1;
  if (report.elapsed_s > tooLongS) throw new Error(`the flood of ${seconds} s took ${report.elapsed_s} s: ${JSON.stringify(report)}`);
}

const latencies = (exchanges) => exchanges.map(({ dueMs, endMs }) => endMs - dueMs);

async function quietRound(rentals, edge, seconds) {
  const played = await rentals.play(edge, rentals.segments[0], { everyMs, seconds });
  checkGood(played, "in quiet");
  return { p99: quantile(latencies(played.exchanges), 0.99), late: played.report.late };
}

// The edge's memory while a flood goes on: the most that was seen.
async function mostMemory(pid, ended) {
  let over = false;
  ended.finally(() => { over = true; }).catch(() => {});
  let most = 0;
  while (!over) {
    most = Math.max(most, residentMiB(pid));
    await sleep(samplesMs);
  }
  return most;
}

async function junkRound(rentals, edge, junkFile, seconds) {
  const ticks = [coreTicks(serverCore), coreTicks(clientCore)];
  const playing = rentals.play(edge, rentals.segments[0], { everyMs, seconds: seconds + 2 * leadMs / 1000 });
  await sleep(leadMs);
  const flooding = rentals.pace(["--urls-file", junkFile, "--connections", String(junkConnections), "--rate", String(junkRate),
    "--batch", String(floodBatch), "--sources", junkSources, "--duration", `${seconds}s`, "--expect-status", "0", "--timeout", "5s"], { wrapper: floodWrapper });
  const memory = mostMemory(edge.child.pid, flooding);
  const [played, junk] = await Promise.all([playing, flooding]);
  checkGood(played, "beside the flood");
  checkJunk(junk, seconds);
  const fromMs = junk.report.started_at_ms;
  const within = played.exchanges.filter(({ dueMs }) => dueMs >= fromMs && dueMs < fromMs + seconds * 1000);
  return {
    p99: quantile(latencies(within), 0.99), max: Math.max(...latencies(within)), late: played.report.late, memory: await memory, junk: junk.report,
    serverBusy: busyShare(ticks[0], coreTicks(serverCore)), clientBusy: busyShare(ticks[1], coreTicks(clientCore)),
  };
}

const sum = (figures) => figures.reduce((total, figure) => total + figure, 0);

function answersByStatus(floods) {
  const counts = {};
  for (const { junk } of floods) {
    for (const [status, count] of Object.entries(junk.statuses)) counts[status] = (counts[status] ?? 0) + count;
  }
  return counts;
}

function rowsOf(sessions, quiets, floods, memoryBefore, memoryAfter) {
  const work = `${sessions} sessions beside ${junkRate} junk tokens a second`;
  const ratios = floods.map((flood, round) => flood.p99 / quiets[round].p99);
  const common = { rounds: floods.length, clientBusy: median(floods.map((flood) => flood.clientBusy)) };
  const answered = sum(floods.map(({ junk }) => junk.requests)) / sum(floods.map(({ junk }) => junk.elapsed_s));
  return [
    figureRow({
      work, unit: "ms, p99 of good requests", ours: median(floods.map((flood) => flood.p99)), peer: "quiet", peerFigure: median(quiets.map((quiet) => quiet.p99)),
      ratio: median(ratios), goal: ratioGoal, spread: ratios.length > 1 ? (Math.max(...ratios) - Math.min(...ratios)) / median(ratios) : null, ...common }),
    figureRow({
      work, unit: "stalls: good requests not answered before the next was due", ours: sum(floods.map((flood) => flood.late)),
      peer: "quiet", peerFigure: sum(quiets.map((quiet) => quiet.late)), ratio: null, goal: 0, ...common }),
    figureRow({ work, unit: "MiB, the edge's memory after it", ours: memoryAfter, peer: "before", peerFigure: memoryBefore, ...common }),
    figureRow({ work, unit: "junk requests answered a second", ours: answered, peer: "asked", peerFigure: junkRate, better: "higher", ...common }),
    ...Object.entries(answersByStatus(floods)).map(([status, count]) =>
      figureRow({ work, unit: `share of junk requests answered with ${status}`, ours: count / sum(floods.map(({ junk }) => junk.requests)), ...common })),
  ];
}

function toldOf(quiet, flood) {
  const percent = (share) => `${Math.round(share * 100)} %`;
  return `p99 ${quiet.p99.toFixed(2)} ms in quiet, ${flood.p99.toFixed(2)} ms beside the flood (at most ${flood.max.toFixed(1)} ms); ` +
    `edge at most ${flood.memory.toFixed(0)} MiB; server core ${percent(flood.serverBusy)}, client core ${percent(flood.clientBusy)} busy; ` +
    `junk answers ${JSON.stringify(flood.junk.statuses)}, ${flood.junk.late} begun late`;
}

export async function measureJunk(context) {
  const { quick, say } = context;
  const sessions = quick ? 100 : 500;
  const rounds = context.rounds ?? (quick ? 1 : 3);
  const seconds = context.seconds ?? (quick ? 2 : 10);
  const rentals = await Rentals.start(context, { edges: 1, accounts: sessions });
  const [edge] = rentals.edges;
  const segment = rentals.segments[0];
  const junkFile = rentals.urlsFile("junk", Array.from({ length: junkTokens }, (_, number) => {
    const playback = rentals.playbacks[number % sessions];
    return rentals.url(edge, { token: junkOf(playback.token) }, segment);
  }));
  say(`junk: ${sessions} sessions ask for ${segment.bytes} bytes every ${everyMs} ms; ${rounds} rounds of ${seconds} s in quiet and beside the flood; ${coresUsed}`);
  await quietRound(rentals, edge, 1);
  const memoryBefore = residentMiB(edge.child.pid);
  const quiets = [];
  const floods = [];
  for (let round = 0; round < rounds; ++round) {
    quiets.push(await quietRound(rentals, edge, seconds));
    floods.push(await junkRound(rentals, edge, junkFile, seconds));
    say(`  round ${round + 1}: ${toldOf(quiets.at(-1), floods.at(-1))}`);
  }
  return rowsOf(sessions, quiets, floods, memoryBefore, residentMiB(edge.child.pid));
}
