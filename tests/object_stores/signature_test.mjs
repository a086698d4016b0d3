// Our signer against a server that verifies signatures. The server is proven first, with the real client: what the SDK
// signs it takes, and what is signed with a wrong secret it refuses. Then it judges our client by the same measure.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import {
  CompleteMultipartUploadCommand, CreateMultipartUploadCommand, DeleteObjectCommand, GetObjectCommand, HeadObjectCommand,
  ListObjectsV2Command, PutObjectCommand, S3Client, UploadPartCommand,
} from "@aws-sdk/client-s3";
import { S3Server } from "../support/s3_server.mjs";

const keyId = "AKIATESTTESTTESTTEST";
const secret = "a/secret+of/the+test/0123456789abcdefghi";
const wrongSecret = "a/secret+of/the+test/0123456789abcdefghX";
const awkwardKey = "films/Ünïcode +plus//two  spaces/..(1)*'!&?#%41.mp4";
const folder = mkdtempSync(join(tmpdir(), "reelway-s3-"));
const file = (name) => join(folder, name);
let server;

const sdk = (options = {}) => new S3Client({
  endpoint: server.endpoint, region: "us-east-1", forcePathStyle: true, maxAttempts: 1,
  credentials: { accessKeyId: keyId, secretAccessKey: secret }, ...options });
const sdkWrong = () => sdk({ credentials: { accessKeyId: keyId, secretAccessKey: wrongSecret } });

async function tool(args, env = {}) {
  const child = spawn(join(process.env.REELWAY_BIN, "object_store_tool"), [server.endpoint, keyId, ...args],
    { env: { ...process.env, REELWAY_TEST_SECRET: secret, ...env }, stdio: ["ignore", "pipe", "inherit"] });
  let out = "";
  child.stdout.on("data", (piece) => { out += piece; });
  const status = await new Promise((resolve) => child.on("close", resolve));
  return { status, out, error: status === 1 ? JSON.parse(out.trim().split("\n").at(-1)).error : null };
}
async function ours(...args) {
  const { status, out } = await tool(args);
  assert.equal(status, 0, out);
  return out;
}

before(async () => {
  server = await new S3Server({ keys: { [keyId]: secret }, buckets: ["films"], pageMax: 7 }).start();
});
after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("the SDK puts, gets, lists and deletes", async () => {
  const client = sdk();
  const body = randomBytes(300_000);
  for (const key of ["sdk/plain.bin", awkwardKey]) {
    await client.send(new PutObjectCommand({ Bucket: "films", Key: key, Body: body }));
    assert.equal((await client.send(new HeadObjectCommand({ Bucket: "films", Key: key }))).ContentLength, body.length);
    const got = await client.send(new GetObjectCommand({ Bucket: "films", Key: key }));
    assert.deepEqual(Buffer.from(await got.Body.transformToByteArray()), body);
    const part = await client.send(new GetObjectCommand({ Bucket: "films", Key: key, Range: "bytes=10-19" }));
    assert.deepEqual(Buffer.from(await part.Body.transformToByteArray()), body.subarray(10, 20));
  }
  for (let i = 0; i < 20; ++i) await client.send(new PutObjectCommand({ Bucket: "films", Key: `many/${i} +é`, Body: "x" }));
  const keys = [];
  for (let token; ;) {
    const page = await client.send(new ListObjectsV2Command({ Bucket: "films", Prefix: "many/", ContinuationToken: token }));
    keys.push(...page.Contents.map(({ Key }) => Key));
    token = page.NextContinuationToken;
    if (!token) break;
  }
  assert.equal(keys.length, 20);
  await client.send(new DeleteObjectCommand({ Bucket: "films", Key: "sdk/plain.bin" }));
  await assert.rejects(client.send(new HeadObjectCommand({ Bucket: "films", Key: "sdk/plain.bin" })), { name: "NotFound" });
});

test("the SDK uploads in parts", async () => {
  const client = sdk();
  const where = { Bucket: "films", Key: "sdk/parts.bin" };
  const parts = [randomBytes(5 << 20), randomBytes(12345)];
  const { UploadId } = await client.send(new CreateMultipartUploadCommand(where));
  const Parts = [];
  for (const [i, Body] of parts.entries()) {
    const { ETag } = await client.send(new UploadPartCommand({ ...where, UploadId, PartNumber: i + 1, Body }));
    Parts.push({ ETag, PartNumber: i + 1 });
  }
  await client.send(new CompleteMultipartUploadCommand({ ...where, UploadId, MultipartUpload: { Parts } }));
  const got = await client.send(new GetObjectCommand(where));
  assert.deepEqual(Buffer.from(await got.Body.transformToByteArray()), Buffer.concat(parts));
});

test("the SDK is refused with a wrong secret, an unknown key and a wrong region", async () => {
  const list = new ListObjectsV2Command({ Bucket: "films" });
  await assert.rejects(sdkWrong().send(list), { name: "SignatureDoesNotMatch" });
  await assert.rejects(sdkWrong().send(new PutObjectCommand({ Bucket: "films", Key: "a", Body: "b" })), { name: "SignatureDoesNotMatch" });
  await assert.rejects(sdkWrong().send(new GetObjectCommand({ Bucket: "films", Key: awkwardKey })), { name: "SignatureDoesNotMatch" });
  await assert.rejects(sdk({ credentials: { accessKeyId: "AKIANOBODY", secretAccessKey: secret } }).send(list), { name: "InvalidAccessKeyId" });
  await assert.rejects(sdk({ region: "eu-west-9" }).send(list), { name: "AuthorizationHeaderMalformed" });
});

test("an unsigned request and a replaced body are refused", async () => {
  assert.equal((await fetch(`${server.endpoint}/films/`)).status, 403);
  const url = (await ours("presign", "films", awkwardKey)).trim();
  assert.equal((await fetch(url)).status, 200);
  assert.equal((await fetch(url.replace("Expires=60", "Expires=61"))).status, 403);
});

test("our client lists what the SDK put, over several pages", async () => {
  const before = server.requests.length;
  const lines = (await ours("list", "films", "many/")).trim().split("\n");
  assert.deepEqual(lines, Array.from({ length: 20 }, (_, i) => `many/${i} +é\t1`).sort());
  assert.equal(server.requests.length - before, 3);
  assert.ok((await ours("list", "films")).includes(`${awkwardKey}\t300000\n`));
});

test("our client gets what the SDK put, and the SDK gets what ours put", async () => {
  await ours("get", "films", awkwardKey, file("got"));
  const truth = await (await sdk().send(new GetObjectCommand({ Bucket: "films", Key: awkwardKey }))).Body.transformToByteArray();
  assert.deepEqual(readFileSync(file("got")), Buffer.from(truth));

  for (const [key, size] of [["ours/empty", 0], ["ours/small +é.bin", 100_001], ["ours/parts.bin", (5 << 20) * 2 + 77]]) {
    const body = randomBytes(size);
    writeFileSync(file("put"), body);
    const etag = (await ours("put", "films", key, file("put"))).trim();
    assert.equal(etag.includes("-3"), size > 5 << 20, etag);
    const got = await sdk().send(new GetObjectCommand({ Bucket: "films", Key: key }));
    const bytes = Buffer.from(await got.Body.transformToByteArray());
    assert.equal(createHash("sha256").update(bytes).digest("hex"), createHash("sha256").update(body).digest("hex"));
    await ours("get", "films", key, file("back"));
    assert.deepEqual(readFileSync(file("back")), body);
    await ours("erase", "films", key);
    assert.equal((await tool(["head", "films", key])).error.code, "object_not_found");
  }
  assert.equal(server.uploads.size, 0);
});

test("our client addresses buckets by host too", async () => {
  // "films.127.0.0.1" is no name that resolves; "films.localhost" is.
  const { status, out } = await tool(["list", "films", "many/1"], { REELWAY_TEST_ADDRESSING: "host" }).catch((error) => ({ status: 9, out: String(error) }));
  assert.equal(status, 1);
  assert.match(out, /object_store_unreachable/);
  const child = spawn(join(process.env.REELWAY_BIN, "object_store_tool"), [`http://localhost:${server.port}`, keyId, "list", "films", "many/1"],
    { env: { ...process.env, REELWAY_TEST_SECRET: secret, REELWAY_TEST_ADDRESSING: "host" }, stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.on("data", (piece) => { text += piece; });
  assert.equal(await new Promise((resolve) => child.on("close", resolve)), 0, text);
  assert.equal(text.trim().split("\n").length, 11);
});

test("a wrong secret is one clear error, for every operation", async () => {
  writeFileSync(file("put"), "x");
  for (const args of [["list", "films"], ["head", "films", awkwardKey], ["get", "films", awkwardKey, file("no")], ["put", "films", "k", file("put")], ["erase", "films", "k"]]) {
    const before = server.requests.length;
    const { error, out } = await tool(args, { REELWAY_TEST_SECRET: wrongSecret });
    assert.equal(error.code, "object_store_denied", out);
    for (const part of [server.endpoint, "s3://films/", keyId, "SignatureDoesNotMatch"]) assert.ok(error.detail.includes(part), error.detail);
    assert.ok(!out.includes(wrongSecret));
    assert.ok(server.requests.length - before <= 2, "refused credentials are not tried again");
  }
});

test("other refusals have codes of their own", async () => {
  const refusal = async (args, env) => (await tool(args, env)).error;
  assert.equal((await refusal(["list", "no-such-bucket"])).code, "bucket_not_found");
  assert.equal((await refusal(["head", "no-such-bucket", "k"])).code, "bucket_not_found");
  assert.equal((await refusal(["head", "films", "no such key"])).code, "object_not_found");
  const region = await refusal(["list", "films"], { REELWAY_TEST_REGION: "eu-west-9" });
  assert.equal(region.code, "object_store_redirected");
  assert.match(region.detail, /us-east-1/);
  server.fault = () => ({ clockS: 3600 });
  const skew = await refusal(["list", "films"]);
  server.fault = () => null;
  assert.equal(skew.code, "object_store_clock_skew");
  assert.match(skew.detail, /the origin's time is \d{8}T\d{6}Z, the server's \d{4}-/);
  server.fault = () => ({ status: 301, code: "PermanentRedirect", endpoint: "films.s3.eu-west-1.amazonaws.com", region: "eu-west-1" });
  assert.match((await refusal(["list", "films"])).detail, /eu-west-1.*films\.s3\.eu-west-1/);
  server.fault = () => null;
});

test("what may be repeated is, and not for ever", async () => {
  let left = 3;
  server.fault = () => (left-- > 0 ? { status: 503, code: "SlowDown", retryAfterS: 0 } : null);
  await ours("list", "films");
  let cuts = 3;
  server.fault = ({ method }) => (method === "GET" && cuts-- > 0 ? { cutAfter: 70_000 } : null);
  await ours("get", "films", awkwardKey, file("cut"));
  assert.equal(readFileSync(file("cut")).length, 300_000);
  const ranges = server.requests.slice(-4).map(({ headers }) => headers.range);
  assert.ok(new Set(ranges).size === 4, `each repetition goes on where the last ended: ${ranges}`);
  server.fault = () => ({ status: 500, code: "InternalError" });
  const before = server.requests.length;
  assert.equal((await tool(["list", "films"])).error.code, "object_store_failed");
  assert.equal(server.requests.length - before, 5);
  server.fault = () => null;
});

test("an upload in parts whose last answer is lost has been done, and is not done again", async () => {
  const body = randomBytes((5 << 20) + 999);
  writeFileSync(file("put"), body);
  let lost = 0;
  server.fault = ({ method, query }) => (method === "POST" && query.uploadId && lost++ === 0 ? { loseAnswer: true } : null);
  const etag = (await ours("put", "films", "ours/lost.bin", file("put"))).trim();
  assert.equal(lost, 2);
  assert.match(etag, /-2"$/);
  // The same when somebody else has replaced the object meanwhile: then it is not known to be ours.
  lost = 0;
  server.fault = ({ method, query }) => {
    if (method !== "POST" || !query.uploadId) return null;
    if (lost++ === 0) return { loseAnswer: true };
    server.put("films", "ours/lost.bin", randomBytes(10));
    return null;
  };
  assert.equal((await tool(["put", "films", "ours/lost.bin", file("put")])).error.code, "object_store_failed");
  // And a store that refuses in the middle is left with no parts.
  server.fault = ({ method, query }) => (method === "PUT" && query.partNumber === "2" ? { status: 403, code: "AccessDenied" } : null);
  assert.equal((await tool(["put", "films", "ours/lost.bin", file("put")])).error.code, "object_store_denied");
  assert.equal(server.uploads.size, 0);
  server.fault = () => null;
});

test("an object that changes in the middle is noticed", async () => {
  server.put("films", "changing", randomBytes(200_000));
  let done = false;
  server.fault = ({ method, key, headers }) => {
    if (method !== "GET" || key !== "changing" || done || !headers["if-match"]) return null;
    done = true;
    return { cutAfter: 50_000, before: async () => setImmediate(() => server.put("films", "changing", randomBytes(200_000))) };
  };
  assert.equal((await tool(["get", "films", "changing", file("changing")])).error.code, "object_changed");
  server.fault = () => null;
});

test("bytes that do not match the store's checksum are refused", async () => {
  const bytes = randomBytes(1000);
  server.put("films", "rotten", bytes, { sums: { "x-amz-checksum-sha256": createHash("sha256").update("other").digest("base64") } });
  assert.equal((await tool(["get", "films", "rotten", file("rotten")])).error.code, "object_corrupt");
  server.put("films", "by-md5", bytes);
  server.buckets.get("films").get("by-md5").sums = {};
  assert.match(await ours("head", "films", "by-md5"), / md5\n$/);
  await ours("get", "films", "by-md5", file("md5"));
  server.buckets.get("films").get("by-md5").etag = `"${"0".repeat(32)}"`;
  assert.equal((await tool(["get", "films", "by-md5", file("md5")])).error.code, "object_corrupt");
});

test("over https only a certificate that is vouched for will do", async () => {
  const [key, cert] = [file("tls.key"), file("tls.pem")];
  const made = spawnSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", cert,
    "-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"]);
  assert.equal(made.status, 0, String(made.stderr));
  const plain = server;
  server = await new S3Server({ keys: { [keyId]: secret }, buckets: ["films"], tls: { key: readFileSync(key), cert: readFileSync(cert) } }).start();
  try {
    server.put("films", "a", randomBytes(100));
    const refused = await tool(["list", "films"]);
    assert.equal(refused.error.code, "object_store_unreachable");
    assert.match(refused.error.detail, /certificate/);
    assert.equal(server.requests.length, 0);
    assert.equal((await tool(["list", "films"], { REELWAY_TEST_CA: cert })).out, "a\t100\n");
  } finally {
    await server.stop();
    server = plain;
  }
});
