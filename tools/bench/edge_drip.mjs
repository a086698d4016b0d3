// How soon many who wait for one object that nobody has yet see its first bytes, when the origin takes a second to give it.

import { randomBytes } from "node:crypto";
import net from "node:net";
import { EdgeBench } from "./edge.mjs";
import { figureRow, median, quantile } from "./measure.mjs";
import { Haproxy, NginxCache, TrafficServer, Varnish } from "./peers.mjs";

const clients = 200;
const bodyBytes = 1 << 20;
const drip = { holdMs: 300, pieces: 20, everyMs: 50 };  // all clients have asked before the first byte is given
const limitMs = 30_000;
const headEnd = "\r\n\r\n";

// A client that has connected: ask(path) tells when its first byte of a body came, and resolves when it has all of it.
class Client {
  static async connect(port) {
    const client = new Client();
    await new Promise((resolve, reject) => { client.socket = net.connect(port, "127.0.0.1", resolve).once("error", reject); });
    client.socket.setNoDelay(true);
    return client;
  }

  ask(path) {
    let head = "";
    let received = 0;
    let firstAt = null;
    return new Promise((resolve, reject) => {
      this.socket.setTimeout(limitMs, () => reject(new Error(`no answer within ${limitMs} ms`)));
      this.socket.on("error", reject).on("close", () => reject(new Error(`closed after ${received} bytes`)));
      this.socket.on("data", (bytes) => {
        let count = bytes.length;
        if (firstAt === null) {
          head += bytes.toString("latin1");
          const end = head.indexOf(headEnd);
          if (end < 0 || head.length === end + headEnd.length) return;
          if (!/^HTTP\/1\.1 200 /.test(head)) return reject(new Error(head.slice(0, head.indexOf("\r\n"))));
          firstAt = performance.now();
          count = head.length - end - headEnd.length;
        }
        received += count;
        if (received >= bodyBytes) resolve(firstAt);
      });
      this.socket.write(`GET ${path} HTTP/1.1\r\nHost: bench\r\n\r\n`);
    });
  }

  close() { this.socket.destroy(); }
}

async function round(bench, subject, number) {
  const path = `/bench/v1/video/720/${number}.m4s`;
  bench.origin.dripping(path, randomBytes(bodyBytes), drip);
  const urls = Array.from({ length: clients }, (_, n) => new URL(subject.url(path, n)));
  const all = await Promise.all(urls.map((url) => Client.connect(Number(url.port))));
  const before = bench.origin.requests;
  try {
    const firsts = await Promise.all(all.map((client, n) => client.ask(urls[n].pathname)));
    const began = bench.origin.dripBegan(path);
    return { p99: quantile(firsts.map((at) => at - began), 0.99), fetches: bench.origin.requests - before };
  } finally {
    for (const client of all) client.close();
  }
}

export async function drips(context) {
  const bench = await EdgeBench.start(context, { peers: [NginxCache, Haproxy, TrafficServer, Varnish], renters: clients });
  const subjects = bench.all;
  const taken = subjects.map(() => []);
  // The round before the first is for this program, whose code is slow until it has run.
  for (let number = -1; number < context.plan.rounds; ++number) {
    for (const [index, subject] of subjects.entries()) {
      const one = await round(bench, subject, (number + 1) * subjects.length + index);
      if (number < 0) continue;
      taken[index].push(one);
      context.say(`  round ${number + 1}: ${subject.name} p99 ${one.p99.toFixed(1)} ms, ${one.fetches} fetches at the origin`);
    }
  }
  const work = `${clients} clients ask for 1 MiB that the origin drips for ${drip.pieces * drip.everyMs / 1000} s`;
  const figure = (index, name) => median(taken[index].map((one) => one[name]));
  const rows = (unit, name, goal) => subjects.slice(1).map((peer, index) => figureRow({
    work, unit, ours: figure(0, name), peer: peer.name, peerFigure: figure(index + 1, name), rounds: context.plan.rounds, goal: index === 0 ? goal : null }));
  return [...rows("ms from the origin's first byte to a client's, p99", "p99", 15), ...rows("fetches at the origin", "fetches", 1)];
}
