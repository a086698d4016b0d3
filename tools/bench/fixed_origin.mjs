// An origin of fixed objects for an edge under measurement: it speaks the media port's side of the contract (edge
// credential, ETag, Content-Digest, keys document) and signs tokens with a key of its own, so that objects of an exact
// size exist without a film. It serves only the cache's misses, so it costs the measurement nothing.

import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import http from "node:http";

const kid = 1;

function crc32c(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; ++bit) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

function digestField(bytes) {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32c(bytes));
  return `crc32c=:${sum.toString("base64")}:`;
}

// Frames of the change stream (docs/formats/replica_stream.md): an edge is ready once it has a copy of the rentals, and
// here there are none.
const revision = 1n;
function frame(type, payload) {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(payload.length);
  head.writeUInt8(type, 4);
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32c(Buffer.concat([head, payload])));
  return Buffer.concat([head, payload, sum]);
}
function integers(...values) {
  const bytes = Buffer.alloc(8 * values.length);
  values.forEach((value, index) => bytes.writeBigInt64BE(BigInt(value), 8 * index));
  return bytes;
}
const hello = () => frame(1, Buffer.concat([Buffer.from([5]), Buffer.from("fixed"), Buffer.alloc(4), integers(revision)]));
const beat = () => frame(3, integers(revision, revision, Date.now(), 0, 0, 0, 0));
const end = () => frame(7, integers(0, revision));

export class FixedOrigin {
  // secret: what the edge shows as its credential
  constructor(secret) {
    this.secret = secret;
    this.objects = new Map();
    this.requests = 0;
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    this.privateKey = privateKey;
    this.publicKey = publicKey.export({ format: "jwk" }).x;
  }

  put(path, bytes) {
    const etag = `"${createHash("sha256").update(bytes).digest("hex").slice(0, 32)}"`;
    this.objects.set(path, { bytes, etag, digest: digestField(bytes) });
  }

  async listen() {
    this.server = http.createServer((request, response) => this.#answer(request, response));
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.address = `127.0.0.1:${this.server.address().port}`;
    return this;
  }

  #answer(request, response) {
    if (request.headers.authorization !== `Bearer ${this.secret}`) return response.writeHead(403).end();
    if (request.url === "/.reelway/v1/keys") {
      response.writeHead(200, { "Content-Type": "application/json", "Cache-Control": "no-store" });
      return response.end(JSON.stringify({ revision: 1, keys: [{ kid, state: "active", public: this.publicKey }] }));
    }
    if (request.url.startsWith("/.reelway/v1/replica/")) return this.#replica(request, response);
    const object = this.objects.get(request.url);
    if (!object) return response.writeHead(404, { "Cache-Control": "no-store" }).end();
    this.requests += 1;
    response.writeHead(200, {
      "Content-Type": "video/mp4", "Content-Length": object.bytes.length, ETag: object.etag,
      "Cache-Control": "public, max-age=31536000, immutable", "Content-Digest": object.digest });
    response.end(object.bytes);
  }

  #replica(request, response) {
    response.writeHead(200, { "Content-Type": "application/vnd.reelway.replica", "Cache-Control": "no-store" });
    response.write(hello());
    if (request.url.startsWith("/.reelway/v1/replica/snapshot")) return response.end(end());
    response.write(beat());
    const timer = setInterval(() => response.write(beat()), 1000);
    response.on("close", () => clearInterval(timer));
  }

  // A token as common/access/token.h describes it, for one hour.
  token(title) {
    const now = Math.floor(Date.now() / 1000);
    const name = Buffer.from(title);
    const head = Buffer.alloc(1 + 4 + 8 + 8);
    head.writeUInt8(1, 0);
    head.writeUInt32BE(kid, 1);
    head.writeBigUInt64BE(BigInt(now - 60), 5);
    head.writeBigUInt64BE(BigInt(now + 3600), 13);
    const body = Buffer.concat([head, randomBytes(16), Buffer.from([name.length]), name, Buffer.from([0])]);
    const signature = sign(null, Buffer.concat([Buffer.from("reelway-token-1\0"), body]), this.privateKey);
    return Buffer.concat([body, signature]).toString("base64url");
  }

  async close() {
    this.server?.closeAllConnections();
    await new Promise((resolve) => (this.server ? this.server.close(resolve) : resolve()));
  }
}
