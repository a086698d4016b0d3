// Rounds of a group: every subject once a round, in turn, so that what else the machine does hits all alike. A figure
// is work per CPU-second of the server; a ratio is taken inside one round, and the median of the rounds is told.

import { busyShare, coreTicks, cpuSeconds, runClient } from "./processes.mjs";

export const serverCore = 0;
export const clientCore = 1;

const clientBusyMax = 0.95;
const serverBusyMin = 0.85;
const foreignMax = 0.1;

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

function parseWrk(text) {
  const requests = Number(/(\d+) requests in/.exec(text)?.[1]);
  const failed = Number(/Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? 0);
  const socket = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(text);
  const errors = failed + (socket ? socket.slice(1).reduce((sum, value) => sum + Number(value), 0) : 0);
  return { requests, errors, text };
}

// Many small answers: wrk, one URL, work in thousands of requests.
export const wrkClient = (connections) => async (subject, seconds) => {
  const out = await runClient(clientCore, "wrk", ["-t1", `-c${connections}`, `-d${seconds}s`, subject.urls[0]]);
  const { requests, errors, text } = parseWrk(out);
  if (!requests || errors > 0) throw new Error(`${subject.name}: wrk met errors\n${text}`);
  return requests / 1e3;
};

// The same with all URLs of the subject in rotation, by our own client: it asks for less of its core than wrk with a
// script does, and the fastest server is to be busy all the time.
export const rotatingClient = (program, connections) => async (subject, seconds) =>
  (await runBench(program, subject, seconds, connections, [])).requests / 1e3;

// Large answers: our own client, bodies dropped by the kernel, URLs in rotation, work in GB.
export const discardClient = (program, connections) => async (subject, seconds) =>
  (await runBench(program, subject, seconds, connections, ["--discard"])).bytes / 1e9;

async function runBench(program, subject, seconds, connections, more) {
  const args = ["bench", "--urls-file", subject.urlsFile, "--connections", String(connections), "--duration", `${seconds}s`, "--json", ...more];
  if (subject.headersFile) args.push("--headers-file", subject.headersFile);
  const report = JSON.parse(await runClient(clientCore, program, args));
  if (report.errors > 0) throw new Error(`${subject.name}: ${report.errors} errors: ${report.first_error}`);
  return report;
}

async function measureOnce(subject, client, seconds) {
  const cpu = cpuSeconds(subject.pid());
  const start = performance.now();
  const [server, own] = [coreTicks(serverCore), coreTicks(clientCore)];
  const work = await client(subject, seconds);
  const used = cpuSeconds(subject.pid()) - cpu;
  const serverBusy = busyShare(server, coreTicks(serverCore));
  return {
    figure: work / used,
    clientBusy: busyShare(own, coreTicks(clientCore)),
    serverBusy,
    // What other programs took of the server's core meanwhile: they do not enter the figure, but they disturb it.
    foreign: Math.max(0, serverBusy - used / ((performance.now() - start) / 1000)),
  };
}

// subjects: ours first, then the peers, each { name, pid(), urls, ... }
export async function measureGroup({ subjects, client }, { rounds, seconds, warmUpSeconds = 1, say }) {
  if (warmUpSeconds > 0) for (const subject of subjects) await client(subject, warmUpSeconds);
  const taken = subjects.map(() => []);
  let foreign = 0;
  for (let round = 0; round < rounds; ++round) {
    for (const [index, subject] of subjects.entries()) {
      const one = await measureOnce(subject, client, seconds);
      taken[index].push(one);
      foreign = Math.max(foreign, one.foreign);
      say(`  round ${round + 1}: ${subject.name} ${one.figure.toPrecision(4)} (server core ${Math.round(one.serverBusy * 100)} % busy, client core ${Math.round(one.clientBusy * 100)} %)`);
    }
  }
  if (foreign > foreignMax) say(`  other programs took up to ${Math.round(foreign * 100)} % of the server's core: repeat this on a quiet machine`);
  return taken;
}

// By the server alone: the client may be busy all the time, as long as the server is.
const serverSaturatedMin = 0.95;
const serverWasNotLimit = (one) => one.serverBusy < serverSaturatedMin;
const clientWasLimit = (one) => one.clientBusy >= clientBusyMax || one.serverBusy < serverBusyMin;
const rounded = (value) => Number(value.toPrecision(4));

// One row: ours against one peer.
// limits: "server" gives no ratio for a row in which the server was not busy all the time; "none" is for rows of which that
// is not asked, as those that wait for a disk; by default such a row is only marked.
export function rowOf({ work, unit, peer, better = "higher", limits = "mark" }, ours, theirs) {
  const ratios = ours.map((one, round) => one.figure / theirs[round].figure);
  const wasLimit = { server: serverWasNotLimit, none: () => false, mark: clientWasLimit }[limits];
  const most = (list) => list.filter(wasLimit).length * 2 > list.length;
  const limited = limits === "server" ? most(ours) || most(theirs) : most([...ours, ...theirs]);
  const ratio = limited && limits === "server" ? null : median(ratios);
  return {
    work,
    unit,
    ours: rounded(median(ours.map((one) => one.figure))),
    peer,
    peer_figure: rounded(median(theirs.map((one) => one.figure))),
    ratio: ratio === null ? null : rounded(ratio),
    goal: null,
    better,
    spread: ratio !== null && ratios.length > 1 ? rounded((Math.max(...ratios) - Math.min(...ratios)) / ratio) : null,
    range: ratio === null ? null : [rounded(Math.min(...ratios)), rounded(Math.max(...ratios))],
    rounds: ratios.length,
    limited_by: limited ? "client" : "server",
  };
}

// A row of a figure that is not taken per CPU-second, such as a time that a viewer waits. `goal` is what the ratio to
// the peer should keep to, or, where there is no ratio, the figure itself.
export function figureRow({ work, unit, ours, peer = null, peerFigure = null, ratio, goal = null, better = "lower", spread = null, rounds = 1, clientBusy = 0 }) {
  const orNull = (value) => (value === null || !Number.isFinite(value) ? null : rounded(value));
  return {
    work, unit, ours: orNull(ours), peer, peer_figure: orNull(peerFigure),
    ratio: orNull(ratio ?? (peerFigure ? ours / peerFigure : null)), goal, better, spread: orNull(spread), range: null, rounds,
    limited_by: clientBusy >= clientBusyMax ? "client" : "server",
  };
}

// Of figures as they were taken; p in 0 to 1.
export function quantile(figures, p) {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)];
}
