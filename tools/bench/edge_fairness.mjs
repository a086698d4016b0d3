// How long a small hit takes while large bodies keep the server's core busy.

import { randomBytes } from "node:crypto";
import { EdgeBench, accounts, objectPath } from "./edge.mjs";
import { clientCore, figureRow, median, serverCore } from "./measure.mjs";
import { Haproxy, NginxCache, TrafficServer, Varnish } from "./peers.mjs";
import { busyShare, coreTicks, runClient, startClient } from "./processes.mjs";

const mib = 1 << 20;
const largeConnections = 16;
const smallConnections = 8;
const smallEveryMs = 40;  // each connection: 200 a second together
const largeCount = 16;
const smallNumber = 1000;

// Large bodies begin half a second before the small hits and end half a second after them.
async function round(bench, subject, seconds) {
  const large = startClient(clientCore, bench.program, ["bench", "--urls-file", subject.largeFile, "--connections", String(largeConnections),
    "--duration", `${Math.round((seconds + 1) * 1000)}ms`, "--discard", "--json"]);
  bench.context.cleanup(() => large.stop());
  await new Promise((resolve) => setTimeout(resolve, 500));
  const server = coreTicks(serverCore);
  // Of all processes on the client's core this one goes first: what is measured is the server's delay.
  const small = JSON.parse(await runClient(clientCore, "nice", ["-n", process.getuid() === 0 ? "-10" : "0", bench.program, "pace", "--urls-file", subject.urlsFile,
    "--connections", String(smallConnections), "--every", `${smallEveryMs}ms`, "--duration", `${Math.round(seconds * 1000)}ms`, "--json"]));
  const serverBusy = busyShare(server, coreTicks(serverCore));
  const { code, out, err } = await large.ended;
  if (code !== 0) throw new Error(`${subject.name}: ${err}${out}`);
  const report = JSON.parse(out);
  if (small.errors > 0 || report.errors > 0) throw new Error(`${subject.name}: ${small.first_error ?? report.first_error}`);
  return { p99: small.latency_ms.p99, p50: small.latency_ms.p50, rate: report.bytes_per_s / 1e9, serverBusy };
}

export async function fairness(context) {
  const { say } = context;
  const objects = Array.from({ length: largeCount }, () => randomBytes(4 * mib));
  const bench = await EdgeBench.start(context, { peers: [Haproxy, NginxCache, TrafficServer, Varnish], peerOptions: { memoryBytes: 1024 * mib, largeBodies: context.largeBuffers ?? false }, objects });
  bench.origin.put(objectPath(smallNumber), randomBytes(2048));
  const subjects = bench.all;
  for (const subject of subjects) {
    bench.writeUrls(subject, Array.from({ length: subject === subjects[0] ? accounts : largeCount }, (_, n) => objectPath(n % largeCount)));
    subject.largeFile = subject.urlsFile;
    await bench.warm(subject);
    bench.writeUrls(subject, Array.from({ length: accounts }, () => objectPath(smallNumber)));
    await bench.askAll(subject);
  }
  const taken = subjects.map(() => []);
  for (let number = 0; number < context.plan.rounds; ++number) {
    for (const [index, subject] of subjects.entries()) {
      const one = await round(bench, subject, context.plan.seconds);
      taken[index].push(one);
      say(`  round ${number + 1}: ${subject.name} p50 ${one.p50.toFixed(2)} ms, p99 ${one.p99.toFixed(2)} ms beside ${one.rate.toFixed(2)} GB/s (server core ${Math.round(one.serverBusy * 100)} % busy)`);
    }
  }
  const work = `2 KiB hits while ${largeConnections} connections take bodies of 4 MiB`;
  const figure = (list, name) => median(list.map((one) => one[name]));
  const spreadOf = (values) => ({ ratio: median(values), spread: values.length > 1 ? (Math.max(...values) - Math.min(...values)) / median(values) : null });
  return subjects.slice(1).flatMap((peer, index) => {
    const ratios = (name) => spreadOf(taken[0].map((one, number) => one[name] / taken[index + 1][number][name]));
    const row = (unit, name, more) => figureRow({ work, unit, ours: figure(taken[0], name), peer: peer.name, peerFigure: figure(taken[index + 1], name), rounds: context.plan.rounds, ...ratios(name), ...more });
    return [
      row("ms, p99 from due to last byte", "p99", { goal: peer.name === "HAProxy" ? 0.8 : null }),
      row("GB/s of large bodies meanwhile", "rate", { better: "higher", goal: peer.name === "HAProxy" ? 1.0 : null }),
    ];
  });
}
