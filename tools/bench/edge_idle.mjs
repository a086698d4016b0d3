// What an idle keep-alive connection costs in the server's own memory.

import { randomBytes } from "node:crypto";
import net from "node:net";
import { EdgeBench, objectPath } from "./edge.mjs";
import { figureRow } from "./measure.mjs";
import { Haproxy, NginxCache, TrafficServer, Varnish } from "./peers.mjs";
import { privateBytes } from "./processes.mjs";

const connections = 10_000;
const atOnce = 16;
const warmUp = 2000;
const settleMs = 1500;
const bodyBytes = 2048;

// One request over a connection of its own; the socket, once the answer is there.
function exchange(port, path) {
  return new Promise((resolve, reject) => {
    let received = 0;
    const socket = net.connect(port, "127.0.0.1");
    socket.on("data", (piece) => {
      received += piece.length;
      if (received > bodyBytes) resolve(socket);
    });
    socket.on("error", reject);
    socket.write(`GET ${path} HTTP/1.1\r\nHost: bench\r\n\r\n`);
  });
}

async function inBatches(count, port, path) {
  const sockets = [];
  for (let from = 0; from < count; from += atOnce) {
    sockets.push(...await Promise.all(Array.from({ length: Math.min(atOnce, count - from) }, () => exchange(port, path))));
  }
  return sockets;
}

const settled = () => new Promise((resolve) => setTimeout(resolve, settleMs));

// Some connections come first and stay: what a server takes once, such as buffers of its loop, is there before the count
// begins, and no memory of theirs is free to be used again.
async function bytesOfConnection(subject) {
  const { port, pathname } = new URL(subject.url(objectPath(0), 0));
  const first = await inBatches(warmUp, Number(port), pathname);
  await settled();
  const before = privateBytes(subject.pid());
  const sockets = await inBatches(connections, Number(port), pathname);
  await settled();
  const after = privateBytes(subject.pid());
  const kept = sockets.filter((socket) => !socket.destroyed && socket.readyState === "open").length;
  for (const socket of [...first, ...sockets]) socket.destroy();
  if (kept < connections) throw new Error(`${subject.name} closed ${connections - kept} of the connections`);
  return (after - before) / connections;
}

export async function idleMemory(context) {
  // With one token only: what thousands of them leave free would hide the memory that connections take.
  const bench = await EdgeBench.start(context, { peers: [NginxCache, Haproxy, TrafficServer, Varnish], objects: [randomBytes(bodyBytes)], renters: 1 });
  const figures = new Map();
  for (const subject of bench.all) {
    figures.set(subject.name, await bytesOfConnection(subject));
    context.say(`  ${subject.name}: ${figures.get(subject.name).toFixed(0)} bytes of memory for a connection`);
  }
  const [ours, ...peers] = [...figures.entries()];
  return peers.map(([peer, peerFigure], index) => figureRow({
    work: `${connections} idle keep-alive connections`, unit: "bytes of user memory each", ours: ours[1], peer, peerFigure, goal: index === 0 ? 560 : null }));
}
