// An origin of fixed objects for an edge under measurement: it speaks the media port's side of the contract (edge
// credential, ETag, Content-Digest, keys document) and signs tokens with a key of its own, so that objects of an exact
// size exist without a film. It serves only the cache's misses, so it costs the measurement nothing.

import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import http from "node:http";

const kid = 1;

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; ++bit) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1;
  return crc;
});

function crc32c(bytes) {
  let crc = 0xffffffff;
  for (let at = 0; at < bytes.length; ++at) crc = (crc >>> 8) ^ crcTable[(crc ^ bytes[at]) & 255];
  return (crc ^ 0xffffffff) >>> 0;
}

function digestField(bytes) {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32c(bytes));
  return `crc32c=:${sum.toString("base64")}:`;
}

// Frames of the change stream (docs/formats/replica_stream.md): an edge is ready once it has a copy of the rentals.
const revision = 1n;
const recordsOfFrameMax = 1024;
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

// A rental that has been started and plays for a day: 27 bytes.
function rentalRecord() {
  const now = Math.floor(Date.now() / 1000);
  return Buffer.concat([Buffer.from([1, 1, 1]), integers(now + 86_400, now - 60, now + 86_400)]);
}

// SipHash-2-4 with 128 bits of result under the digest's fixed key: [low, high].
const word = (value) => BigInt.asUintN(64, value);
const rotated = (value, by) => word(value << by) | (value >> (64n - by));
function siphash128(bytes) {
  const [k0, k1] = [0x7265656c77617921n, 1n];
  let [v0, v1, v2, v3] = [0x736f6d6570736575n ^ k0, 0x646f72616e646f6dn ^ k1 ^ 0xeen, 0x6c7967656e657261n ^ k0, 0x7465646279746573n ^ k1];
  const rounds = (count) => {
    for (let round = 0; round < count; ++round) {
      v0 = word(v0 + v1); v1 = rotated(v1, 13n) ^ v0; v0 = rotated(v0, 32n);
      v2 = word(v2 + v3); v3 = rotated(v3, 16n) ^ v2;
      v0 = word(v0 + v3); v3 = rotated(v3, 21n) ^ v0;
      v2 = word(v2 + v1); v1 = rotated(v1, 17n) ^ v2; v2 = rotated(v2, 32n);
    }
  };
  const padded = Buffer.alloc((bytes.length & ~7) + 8);
  bytes.copy(padded);
  padded[padded.length - 1] = bytes.length;
  for (let at = 0; at < padded.length; at += 8) {
    const next = padded.readBigUInt64LE(at);
    v3 ^= next;
    rounds(2);
    v0 ^= next;
  }
  v2 ^= 0xeen;
  rounds(4);
  const low = v0 ^ v1 ^ v2 ^ v3;
  v1 ^= 0xddn;
  rounds(4);
  return [low, v0 ^ v1 ^ v2 ^ v3];
}

export class FixedOrigin {
  // secret: what the edge shows as its credential. open: gives its objects also to whoever shows none, as to the peers.
  constructor(secret, { open = false } = {}) {
    this.secret = secret;
    this.open = open;
    this.objects = new Map();
    this.requests = 0;
    this.rentals = [];  // { id, record }
    this.root = 0n;     // the digest over them
    const { publicKey, privateKey } = generateKeyPairSync("ed25519");
    this.privateKey = privateKey;
    this.publicKey = publicKey.export({ format: "jwk" }).x;
  }

  put(path, bytes) {
    const etag = `"${createHash("sha256").update(bytes).digest("hex").slice(0, 32)}"`;
    this.objects.set(path, { bytes, etag, digest: digestField(bytes) });
  }

  // Every path that begins so is an object of these bytes.
  putAll(prefix, bytes) {
    this.put(prefix, bytes);
    this.prefix = prefix;
  }

  // An object whose body comes in pieces: the first after holdMs, the others every everyMs.
  dripping(path, bytes, { holdMs, pieces, everyMs }) {
    this.put(path, bytes);
    this.objects.get(path).drip = { holdMs, everyMs, pieceBytes: Math.ceil(bytes.length / pieces), began: null };
  }
  // When the first piece of it was first given, by performance.now().
  dripBegan(path) { return this.objects.get(path).drip.began; }

  #drip(response, { bytes, drip }, from = 0) {
    if (response.destroyed) return;
    if (from >= bytes.length) return response.end();
    drip.began ??= performance.now();
    response.write(bytes.subarray(from, from + drip.pieceBytes));
    setTimeout(() => this.#drip(response, { bytes, drip }, from + drip.pieceBytes), drip.everyMs);
  }

  #object(path) {
    return this.objects.get(path) ?? (this.prefix && path.startsWith(this.prefix) ? this.objects.get(this.prefix) : undefined);
  }

  async listen() {
    this.server = http.createServer((request, response) => this.#answer(request, response));
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.address = `127.0.0.1:${this.server.address().port}`;
    return this;
  }

  #answer(request, response) {
    const shown = request.headers.authorization;
    if (shown !== `Bearer ${this.secret}` && !(this.open && shown === undefined)) return response.writeHead(403).end();
    if (request.url === "/.reelway/v1/keys") {
      response.writeHead(200, { "Content-Type": "application/json", "Cache-Control": "no-store" });
      return response.end(JSON.stringify({ revision: 1, keys: [{ kid, state: "active", public: this.publicKey }] }));
    }
    if (request.url.startsWith("/.reelway/v1/replica/")) return this.#replica(request, response);
    const object = this.#object(request.url);
    if (!object) return response.writeHead(404, { "Cache-Control": "no-store" }).end();
    this.requests += 1;
    response.writeHead(200, {
      "Content-Type": "video/mp4", "Content-Length": object.bytes.length, ETag: object.etag,
      "Cache-Control": "public, max-age=31536000, immutable", "Content-Digest": object.digest });
    if (!object.drip) return response.end(object.bytes);
    setTimeout(() => this.#drip(response, object), object.drip.holdMs);
  }

  #replica(request, response) {
    response.writeHead(200, { "Content-Type": "application/vnd.reelway.replica", "Cache-Control": "no-store" });
    response.write(hello());
    if (request.url.startsWith("/.reelway/v1/replica/snapshot")) {
      for (let from = 0; from < this.rentals.length; from += recordsOfFrameMax) response.write(this.#records(from));
      return response.end(frame(7, integers(this.rentals.length, revision)));
    }
    const beat = () => response.write(this.#beat());
    beat();
    const timer = setInterval(beat, 1000);
    response.on("close", () => clearInterval(timer));
  }

  #records(from) {
    const some = this.rentals.slice(from, from + recordsOfFrameMax);
    const count = Buffer.alloc(2);
    count.writeUInt16BE(some.length);
    return frame(6, Buffer.concat([count, ...some.flatMap(({ id, record }) => [id, integers(revision), record])]));
  }

  #beat() {
    return frame(3, integers(revision, revision, Date.now(), 0, this.rentals.length, BigInt.asIntN(64, this.root >> 64n), BigInt.asIntN(64, this.root)));
  }

  // So many accounts have rented: each gets a rental of its own, and a token that names it. Before the edge starts.
  rent(title, accounts) {
    const record = rentalRecord();
    return Array.from({ length: accounts }, () => {
      const id = randomBytes(16);
      this.rentals.push({ id, record });
      const [low, high] = siphash128(Buffer.concat([id, record, integers(revision)]));
      this.root = BigInt.asUintN(128, this.root + (high << 64n) + low);
      return this.token(title, id);
    });
  }

  // A token as common/access/token.h describes it, for one hour; with an entitlement, when one is given.
  token(title, entitlement = null) {
    const now = Math.floor(Date.now() / 1000);
    const name = Buffer.from(title);
    const head = Buffer.alloc(1 + 4 + 8 + 8);
    head.writeUInt8(1, 0);
    head.writeUInt32BE(kid, 1);
    head.writeBigUInt64BE(BigInt(now - 60), 5);
    head.writeBigUInt64BE(BigInt(now + 3600), 13);
    const body = Buffer.concat([head, randomBytes(16), Buffer.from([name.length]), name,
      ...(entitlement ? [Buffer.from([1, 1, 24]), entitlement, integers(revision)] : [Buffer.from([0])])]);
    const signature = sign(null, Buffer.concat([Buffer.from("reelway-token-1\0"), body]), this.privateKey);
    return Buffer.concat([body, signature]).toString("base64url");
  }

  async close() {
    this.server?.closeAllConnections();
    await new Promise((resolve) => (this.server ? this.server.close(resolve) : resolve()));
  }
}
