// The import from a public S3-compatible server (npm's s3rver): a bucket of 50 objects, one of them large. What is
// listed over several pages and what was fetched in ranges must be what the bucket holds, by checksum.
//
//   REELWAY_TEST_OBJECT_BYTES=5500000000 node --test tests/object_stores/s3rver_test.mjs      the large one over 5 GB

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { answerOf, startOrigin, sumOf, uploadFile } from "./importing.mjs";

const largeBytes = Number(process.env.REELWAY_TEST_OBJECT_BYTES ?? 64 << 20);
const largeKey = "films/large + 1.mov";
const keyId = "AKIATESTOFIMPORTS";
const secret = "0123456789abcdef/+of-the-test";
const state = mkdtempSync(join(tmpdir(), "reelway-s3rver-"));
const bucketFolder = join(state, "buckets", "films");
let s3rver;
let cluster;
let endpoint;

// A sparse object, put where s3rver keeps it: random bytes here and there, so that a part in a wrong place shows.
async function makeLargeObject() {
  const path = join(bucketFolder, `${largeKey}._S3rver_object`);
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, "w");
  ftruncateSync(file, largeBytes);
  for (let at = 0; at < largeBytes - (1 << 16); at += 5_000_011) writeSync(file, randomBytes(1 << 16), 0, 1 << 16, at);
  closeSync(file);
  writeFileSync(`${path}.md5`, await sumOf(path, "md5"));
  return path;
}

before(async () => {
  mkdirSync(bucketFolder, { recursive: true });
  s3rver = spawn(process.execPath, ["--openssl-legacy-provider", fileURLToPath(new URL("s3rver_server.mjs", import.meta.url)), join(state, "buckets"), keyId, secret],
    { stdio: ["ignore", "pipe", "inherit"] });
  endpoint = await new Promise((resolve, reject) => {
    s3rver.stdout.once("data", (line) => resolve(String(line).trim()));
    s3rver.once("exit", (code) => reject(new Error(`s3rver ended with ${code}`)));
  });
  const sdk = new S3Client({ endpoint, region: "us-east-1", forcePathStyle: true, credentials: { accessKeyId: keyId, secretAccessKey: secret },
    requestChecksumCalculation: "WHEN_REQUIRED" });
  for (let i = 0; i < 49; ++i) {
    await sdk.send(new PutObjectCommand({ Bucket: "films", Key: `films/${String(i).padStart(2, "0")} é+ü.mov`, Body: randomBytes(1000 + 37 * i) }));
  }
  await makeLargeObject();
  cluster = await startOrigin({ state, stores: { bucket: { endpoint, keyId, secret } } });
});

after(async () => {
  await cluster?.stop();
  s3rver?.kill();
  rmSync(state, { recursive: true, force: true });
});

test("all objects are listed, over several pages", async () => {
  const listed = await answerOf(cluster, "import", "--list", "s3://films/", "--store", "bucket", "--page-size", "7");
  assert.equal(listed.objects.length, 50);
  assert.equal(new Set(listed.objects.map(({ key }) => key)).size, 50);
  assert.equal(listed.objects.find(({ key }) => key === largeKey).size_bytes, largeBytes);
  for (const { key, size_bytes } of listed.objects) assert.equal(statSync(join(bucketFolder, `${key}._S3rver_object`)).size, size_bytes);
  const some = await answerOf(cluster, "import", "--list", "s3://films/films/0", "--store", "bucket", "--page-size", "3");
  assert.equal(some.objects.length, 10);
});

test("all are imported, in ranges, and are what the bucket holds", async () => {
  const began = Date.now();
  const { imports } = await answerOf(cluster, "import", "s3://films/films/", "--store", "bucket", "--page-size", "11", "--upload-only");
  assert.equal(imports.length, 50);
  for (const { key, state: end, upload, sha256, checked_by, size_bytes } of imports) {
    assert.equal(end, "done", key);
    assert.equal(checked_by, "md5", key);
    assert.equal(statSync(uploadFile(cluster, upload)).size, size_bytes);
    const truth = await sumOf(join(bucketFolder, `${key}._S3rver_object`));
    assert.equal(sha256, truth, key);
    assert.equal(await sumOf(uploadFile(cluster, upload)), truth, key);
  }
  console.log(`# 50 objects, the largest of ${largeBytes} bytes: ${((Date.now() - began) / 1000).toFixed(1)} s with checking`);
});

test("a second import of the same finds the first", async () => {
  const before = (await answerOf(cluster, "imports")).imports.length;
  await answerOf(cluster, "import", "s3://films/films/", "--store", "bucket", "--upload-only");
  assert.equal((await answerOf(cluster, "imports")).imports.length, before);
});
