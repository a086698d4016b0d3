// The origin of a site whose bodies follow from their paths, so that whoever gets one can tell whether it is right, and
// which fails in every way an origin can: no answer, an error, a body that is cut, a length that is wrong, drips.

import http from "node:http";
import { createHash } from "node:crypto";
import { randomFrom } from "./random.mjs";

const KiB = 1024;
const sizes = [[0.55, 1 * KiB, 12 * KiB], [0.9, 64 * KiB, 160 * KiB], [1, 700 * KiB, 1500 * KiB]];
const dripPieces = 5, dripEveryMs = 40;

const numberOf = (path) => createHash("sha256").update(path).digest().readUInt32BE(0);

function sizeOf(random) {
  const share = random();
  const [, least, most] = sizes.find(([limit]) => share <= limit);
  return Math.floor(least + random() * (most - least));
}

// The one right body of a path.
export function bodyOf(path) {
  const random = randomFrom(numberOf(path));
  const body = Buffer.alloc(sizeOf(random));
  const pattern = Buffer.alloc(4096);
  for (let at = 0; at < pattern.length; at += 4) pattern.writeUInt32LE(Math.floor(random() * 2 ** 32), at);
  for (let at = 0; at < body.length; at += pattern.length) {
    pattern.writeUInt32LE(at, 0);
    pattern.copy(body, at);
  }
  return body;
}

export class FaultySite {
  // faultShare: of the answers, how many go wrong
  constructor({ seed, faultShare = 0.05, maxAgeS = 3 }) {
    Object.assign(this, { random: randomFrom(seed), faultShare, maxAgeS, requests: 0, faults: {} });
    this.server = http.createServer((request, response) => this.#answer(request, response));
  }

  async listen() {
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  #answer(request, response) {
    ++this.requests;
    request.resume();
    response.on("error", () => {});
    const path = request.url;
    const etag = `"${numberOf(path)}"`;
    const headers = { ETag: etag, "Cache-Control": `max-age=${this.maxAgeS}, stale-while-revalidate=2, stale-if-error=10`, "Surrogate-Key": `all group-${numberOf(path) % 16}` };
    if (this.random() < this.faultShare) return this.#fail(path, headers, request, response);
    if (request.headers["if-none-match"] === etag) return response.writeHead(304, headers).end();
    const body = bodyOf(path);
    response.writeHead(200, { ...headers, "Content-Length": body.length });
    response.end(request.method === "HEAD" ? undefined : body);
  }

  #fail(path, headers, request, response) {
    const body = bodyOf(path);
    const kinds = {
      reset: () => request.socket.destroy(),
      error: () => response.writeHead(503).end("out of order"),
      cut: () => {
        response.writeHead(200, { ...headers, "Content-Length": body.length });
        response.write(body.subarray(0, Math.floor(body.length * this.random())), () => request.socket.destroy());
      },
      short: () => {
        response.writeHead(200, { ...headers, "Content-Length": body.length + 1000 });
        response.write(body, () => request.socket.destroy());
      },
      drip: () => this.#drip(headers, body, response),
    };
    const names = Object.keys(kinds);
    const kind = names[Math.floor(this.random() * names.length)];
    this.faults[kind] = (this.faults[kind] ?? 0) + 1;
    kinds[kind]();
  }

  #drip(headers, body, response) {
    response.writeHead(200, { ...headers, "Content-Length": body.length });
    const size = Math.ceil(body.length / dripPieces);
    const next = (at) => {
      if (at >= body.length) return response.end();
      response.write(body.subarray(at, at + size));
      setTimeout(() => next(at + size), dripEveryMs);
    };
    next(0);
  }

  async close() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
