// A small S3-compatible server that takes nothing on trust: it verifies each request's AWS Signature Version 4 by an
// implementation of its own, the SHA-256 of each body, and the checksums that clients send. It does what Reelway's
// client asks for, path style and virtual-host style, and fails in the ways that a test chooses.
//
//   const server = await new S3Server({ keys: { ID: "secret" }, buckets: ["films"] }).start();
//                                                           // tls: { key, cert } for https
//   server.put("films", "a.mp4", bytes);                      // or { size, read(offset, count) } for a large one
//   server.fault = ({ method, bucket, key, query, headers, count }) => ({ status: 503, code: "SlowDown" });
//
// A fault may also be { cutAfter: bytes }, which breaks the connection within a body, { loseAnswer: true }, which does what
// is asked but breaks the connection before it says so, { before: async () => {} }, or { clockS: seconds }, which answers
// as a server whose clock is that far ahead. `count` is the number of the request.

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";

const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const hmac = (key, text) => createHmac("sha256", key).update(text, "utf8").digest();
const md5 = (bytes) => createHash("md5").update(bytes).digest("hex");
const skewMaxMs = 15 * 60 * 1000;

class Refusal extends Error {
  constructor(status, code, message, more = {}) {
    super(message);
    Object.assign(this, { status, code, more });
  }
}

// RFC 3986, as Amazon asks for it: every byte but A-Z a-z 0-9 - . _ ~, with upper-case digits.
export function uriEncode(text) {
  return [...Buffer.from(text, "utf8")].map((byte) => {
    const char = String.fromCharCode(byte);
    return /[A-Za-z0-9\-._~]/.test(char) ? char : "%" + byte.toString(16).toUpperCase().padStart(2, "0");
  }).join("");
}

function decode(text, what) {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new Refusal(400, "InvalidURI", `the ${what} cannot be decoded`);
  }
}

// Fields of a query in their order; a '+' is a '+'.
function parseQuery(text) {
  return text === "" ? [] : text.split("&").map((field) => {
    const at = field.indexOf("=");
    return at < 0 ? [decode(field, "query"), ""] : [decode(field.slice(0, at), "query"), decode(field.slice(at + 1), "query")];
  });
}

function canonicalQuery(fields) {
  const encoded = fields.map(([name, value]) => [uriEncode(name), uriEncode(value)]);
  encoded.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0));
  return encoded.map(([name, value]) => `${name}=${value}`).join("&");
}

function parseTime(text) {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text ?? "");
  if (!match) throw new Refusal(403, "AccessDenied", "the request has no valid x-amz-date");
  const [, year, month, day, hour, minute, second] = match.map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function escapeXml(text) {
  return String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
}

const tag = (name, value) => `<${name}>${escapeXml(value)}</${name}>`;

export class S3Server {
  constructor({ keys, buckets = [], region = "us-east-1", pageMax = 1000, checksums = true, tls = null }) {
    Object.assign(this, { keys, region, pageMax, checksums, tls, fault: () => null, requests: [], uploads: new Map(), nextUpload: 1 });
    this.buckets = new Map(buckets.map((name) => [name, new Map()]));
    this.bytesSent = 0;
  }

  async start() {
    const serve = (request, response) => this.#serve(request, response);
    this.server = this.tls ? createTlsServer(this.tls, serve) : createServer(serve);
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.port = this.server.address().port;
    this.endpoint = `${this.tls ? "https" : "http"}://127.0.0.1:${this.port}`;
    return this;
  }

  async stop() {
    this.server.closeAllConnections?.();
    await new Promise((resolve) => this.server.close(resolve));
  }

  // content: a Buffer, or { size, read(offset, count) -> Buffer }.
  put(bucket, key, content, { etag, sums = {} } = {}) {
    const whole = Buffer.isBuffer(content);
    const object = {
      size: whole ? content.length : content.size,
      read: whole ? (offset, count) => content.subarray(offset, offset + count) : content.read,
      etag: etag ?? (whole ? `"${md5(content)}"` : `"${md5(String(Math.random()))}-7"`),
      sums: whole && this.checksums ? { "x-amz-checksum-sha256": createHash("sha256").update(content).digest("base64"), ...sums } : sums,
      modified: new Date(),
    };
    this.buckets.get(bucket).set(key, object);
    return object;
  }

  async #serve(request, response) {
    const seen = { method: request.method, url: request.url, headers: request.headers, count: this.requests.length };
    this.requests.push(seen);
    try {
      const body = await this.#body(request);
      const target = this.#target(request);
      Object.assign(seen, { bucket: target.bucket, key: target.key, query: Object.fromEntries(target.query) });
      const fault = this.fault(seen) ?? {};
      await fault.before?.();
      if (fault.status) throw new Refusal(fault.status, fault.code, "as the test has it", fault);
      this.#authenticate(request, target, body, Date.now() + 1000 * (fault.clockS ?? 0));
      if (fault.loseAnswer) {
        response.writeHead = () => response;
        response.end = () => response.socket?.destroy();
      }
      this.#answer(request, response, target, body, fault);
    } catch (error) {
      this.#refuse(request, response, error);
    }
  }

  #body(request) {
    return new Promise((resolve, reject) => {
      const pieces = [];
      request.on("data", (piece) => pieces.push(piece));
      request.on("end", () => resolve(Buffer.concat(pieces)));
      request.on("error", reject);
    });
  }

  // A request target as it came, and what it means.
  #target(request) {
    const at = request.url.indexOf("?");
    const rawPath = at < 0 ? request.url : request.url.slice(0, at);
    const query = parseQuery(at < 0 ? "" : request.url.slice(at + 1));
    const path = decode(rawPath, "path");
    const host = request.headers.host.replace(/:\d+$/, "");
    if (host !== "127.0.0.1") return { rawPath, path, query, bucket: host.split(".")[0], key: path.slice(1) };
    const [, bucket, ...key] = path.split("/");
    return { rawPath, path, query, bucket, key: key.join("/") };
  }

  #authenticate(request, target, body, nowMs) {
    const presigned = target.query.find(([name]) => name === "X-Amz-Signature");
    const query = Object.fromEntries(target.query);
    const match = presigned
      ? [null, query["X-Amz-Credential"], query["X-Amz-SignedHeaders"], presigned[1]]
      : /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(request.headers.authorization ?? "");
    if (!match) throw new Refusal(403, "AccessDenied", "the request is not signed");
    const [, credential, signedNames, signature] = match;
    const [keyId, day, region, service, end] = (credential ?? "").split("/");
    const secret = this.keys[keyId];
    if (secret === undefined) throw new Refusal(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.");
    if (service !== "s3" || end !== "aws4_request") throw new Refusal(400, "AuthorizationHeaderMalformed", "the scope is not s3/aws4_request");
    if (region !== this.region) throw new Refusal(400, "AuthorizationHeaderMalformed", `the region '${region}' is wrong; expecting '${this.region}'`, { region: this.region });
    const time = presigned ? query["X-Amz-Date"] : request.headers["x-amz-date"];
    const timeMs = parseTime(time);
    if (presigned ? nowMs > timeMs + 1000 * Number(query["X-Amz-Expires"]) : Math.abs(nowMs - timeMs) > skewMaxMs) {
      if (presigned) throw new Refusal(403, "AccessDenied", "Request has expired");
      throw new Refusal(403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large.", { serverTime: new Date(nowMs).toISOString() });
    }
    if (day !== time.slice(0, 8)) throw new Refusal(400, "AuthorizationHeaderMalformed", "the scope has another day than x-amz-date");

    const names = signedNames.split(";");
    const mustSign = ["host", ...Object.keys(request.headers).filter((name) => name.startsWith("x-amz-"))];
    for (const name of mustSign) if (!names.includes(name)) throw new Refusal(403, "AccessDenied", `the header ${name} is not signed`);
    const payload = presigned ? "UNSIGNED-PAYLOAD" : request.headers["x-amz-content-sha256"];
    if (payload === undefined) throw new Refusal(400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256");
    if (payload.startsWith("STREAMING-")) throw new Refusal(501, "NotImplemented", "chunked signatures");
    const path = target.path.split("/").map(uriEncode).join("/");
    const fields = target.query.filter(([name]) => name !== "X-Amz-Signature");
    const headers = names.map((name) => `${name}:${(request.headers[name] ?? "").trim().replace(/ +/g, " ")}\n`).join("");
    const canonical = [request.method, path, canonicalQuery(fields), headers, signedNames, payload].join("\n");
    const toSign = ["AWS4-HMAC-SHA256", time, `${day}/${region}/s3/aws4_request`, sha256(canonical)].join("\n");
    const key = hmac(hmac(hmac(hmac("AWS4" + secret, day), region), "s3"), "aws4_request");
    if (!timingSafeEqual(hmac(key, toSign), Buffer.from(signature, "hex"))) {
      throw new Refusal(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided. Check your key and signing method.");
    }
    if (payload !== "UNSIGNED-PAYLOAD" && payload !== sha256(body)) throw new Refusal(400, "XAmzContentSHA256Mismatch", "The provided x-amz-content-sha256 does not match what was computed.");
    const sum = request.headers["x-amz-checksum-sha256"];
    if (sum !== undefined && sum !== createHash("sha256").update(body).digest("base64")) throw new Refusal(400, "BadDigest", "The SHA256 you specified did not match what we received.");
  }

  #answer(request, response, { bucket: name, key, query: fields }, body, fault) {
    const query = Object.fromEntries(fields);
    const bucket = this.buckets.get(name);
    if (!bucket) throw new Refusal(404, "NoSuchBucket", "The specified bucket does not exist");
    if (key === "" && request.method === "GET") return this.#list(response, name, bucket, query);
    if (request.method === "PUT" && query.uploadId) return this.#putPart(response, query, body);
    if (request.method === "PUT") {
      const object = this.put(name, key, body);
      return response.writeHead(200, { ETag: object.etag }).end();
    }
    if (request.method === "POST" && "uploads" in query) return this.#begin(response, name, key);
    if (request.method === "POST" && query.uploadId) return this.#complete(response, name, key, query.uploadId, body.toString());
    if (request.method === "DELETE") {
      if (query.uploadId) this.uploads.delete(query.uploadId);
      else bucket.delete(key);
      return response.writeHead(204).end();
    }
    if (request.method === "GET" || request.method === "HEAD") return this.#get(request, response, bucket.get(key), fault);
    throw new Refusal(405, "MethodNotAllowed", "The specified method is not allowed against this resource.");
  }

  #list(response, name, bucket, query) {
    if (query["list-type"] !== "2") throw new Refusal(501, "NotImplemented", "only ListObjectsV2");
    const limit = Math.min(this.pageMax, Number(query["max-keys"] ?? 1000));
    const prefix = query.prefix ?? "";
    const after = query["continuation-token"] ? Buffer.from(query["continuation-token"], "base64").toString() : "";
    const byBytes = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));
    const keys = [...bucket.keys()].filter((key) => key.startsWith(prefix) && (after === "" || byBytes(key, after) > 0)).sort(byBytes);
    const page = keys.slice(0, limit);
    const more = keys.length > page.length;
    // As Amazon does it: a blank is a '+'.
    const encode = query["encoding-type"] === "url" ? (text) => uriEncode(text).replace(/%20/g, "+").replace(/%2F/g, "/") : (text) => text;
    const contents = page.map((key) => {
      const object = bucket.get(key);
      return `<Contents>${tag("Key", encode(key))}${tag("LastModified", object.modified.toISOString())}${tag("ETag", object.etag)}${tag("Size", object.size)}${tag("StorageClass", "STANDARD")}</Contents>`;
    });
    this.#xml(response, 200, `<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${tag("Name", name)}${tag("Prefix", encode(prefix))}` +
      `${tag("KeyCount", page.length)}${tag("MaxKeys", limit)}${query["encoding-type"] ? tag("EncodingType", "url") : ""}${tag("IsTruncated", more)}` +
      `${more ? tag("NextContinuationToken", Buffer.from(page.at(-1)).toString("base64")) : ""}${contents.join("")}</ListBucketResult>`);
  }

  #get(request, response, object, fault) {
    if (!object) throw new Refusal(404, "NoSuchKey", "The specified key does not exist.");
    const { headers } = request;
    if (headers["if-match"] && headers["if-match"] !== object.etag) throw new Refusal(412, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold");
    let first = 0;
    let last = object.size - 1;
    const range = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? "");
    if (range) {
      first = Number(range[1]);
      last = range[2] === "" ? last : Math.min(last, Number(range[2]));
      if (first > last) throw new Refusal(416, "InvalidRange", "The requested range is not satisfiable");
    }
    const count = last - first + 1;
    response.writeHead(range ? 206 : 200, {
      ETag: object.etag, "Content-Length": count, "Last-Modified": object.modified.toUTCString(), "Accept-Ranges": "bytes",
      ...(range ? { "Content-Range": `bytes ${first}-${last}/${object.size}` } : {}),
      ...(headers["x-amz-checksum-mode"] === "ENABLED" && !range ? object.sums : {}),
    });
    if (request.method === "HEAD") return response.end();
    this.#send(response, object, first, count, fault.cutAfter);
  }

  // In pieces, as the client takes them.
  #send(response, object, at, left, cutAfter = Infinity) {
    const end = at + Math.min(left, cutAfter);
    const cut = cutAfter < left;
    const next = () => {
      while (at < end) {
        const piece = object.read(at, Math.min(1 << 18, end - at));
        at += piece.length;
        this.bytesSent += piece.length;
        if (!response.write(piece)) return response.once("drain", next);
      }
      if (cut) response.socket?.destroy();
      else response.end();
    };
    next();
  }

  #begin(response, bucket, key) {
    const id = `upload-${this.nextUpload++}`;
    this.uploads.set(id, { bucket, key, parts: new Map() });
    this.#xml(response, 200, `<InitiateMultipartUploadResult>${tag("Bucket", bucket)}${tag("Key", key)}${tag("UploadId", id)}</InitiateMultipartUploadResult>`);
  }

  #putPart(response, query, body) {
    const upload = this.uploads.get(query.uploadId);
    if (!upload) throw new Refusal(404, "NoSuchUpload", "The specified multipart upload does not exist.");
    upload.parts.set(Number(query.partNumber), body);
    response.writeHead(200, { ETag: `"${md5(body)}"` }).end();
  }

  #complete(response, bucket, key, id, text) {
    const upload = this.uploads.get(id);
    if (!upload) throw new Refusal(404, "NoSuchUpload", "The specified multipart upload does not exist.");
    const parts = [...text.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part]) => ({
      number: Number(/<PartNumber>(\d+)</.exec(part)[1]), etag: /<ETag>(?:"|&quot;)?([0-9a-f]+)/.exec(part)[1] }));
    for (const part of parts) {
      if (md5(upload.parts.get(part.number) ?? Buffer.from("-")) !== part.etag) throw new Refusal(400, "InvalidPart", `part ${part.number}`);
    }
    const sums = Buffer.concat(parts.map(({ etag }) => Buffer.from(etag, "hex")));
    const etag = `"${md5(sums)}-${parts.length}"`;
    const bytes = Buffer.concat(parts.map(({ number }) => upload.parts.get(number)));
    this.put(bucket, key, bytes, { etag });
    this.uploads.delete(id);
    this.#xml(response, 200, `<CompleteMultipartUploadResult>${tag("Bucket", bucket)}${tag("Key", key)}${tag("ETag", etag)}</CompleteMultipartUploadResult>`);
  }

  #xml(response, status, text, headers = {}) {
    const body = Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${text}`);
    response.writeHead(status, { "Content-Type": "application/xml", "Content-Length": body.length, ...headers }).end(body);
  }

  #refuse(request, response, error) {
    if (response.headersSent) return response.socket?.destroy();
    const refusal = error instanceof Refusal ? error : new Refusal(500, "InternalError", error.stack);
    const { region, endpoint, serverTime, retryAfterS } = refusal.more;
    const headers = { ...(retryAfterS !== undefined ? { "Retry-After": retryAfterS } : {}), ...(region ? { "x-amz-bucket-region": region } : {}) };
    if (request.method === "HEAD") return response.writeHead(refusal.status, headers).end();
    this.#xml(response, refusal.status, `<Error>${tag("Code", refusal.code)}${tag("Message", refusal.message)}${region ? tag("Region", region) : ""}` +
      `${endpoint ? tag("Endpoint", endpoint) : ""}${serverTime ? tag("ServerTime", serverTime) : ""}${tag("RequestId", `R${this.requests.length}`)}</Error>`, headers);
  }
}

