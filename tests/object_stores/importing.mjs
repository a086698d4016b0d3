// What the tests of the import share: an origin with object stores in its configuration, and its command beside a
// server that runs in the test's own process (so the command must not block it).

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Cluster } from "../../tools/cluster.mjs";

// stores: { name: { endpoint, keyId, secret, region } }
export async function startOrigin({ state, stores, settings = {} }) {
  const originSettings = { ...settings };
  for (const [name, store] of Object.entries(stores)) {
    const secretFile = join(state, `store-${name}.secret`);
    writeFileSync(secretFile, store.secret + "\n", { mode: 0o600 });
    Object.assign(originSettings, {
      [`object_stores.${name}.endpoint`]: store.endpoint,
      [`object_stores.${name}.access_key_id`]: store.keyId,
      [`object_stores.${name}.secret_file`]: secretFile,
      ...(store.region ? { [`object_stores.${name}.region`]: store.region } : {}),
    });
  }
  const cluster = new Cluster({ bin: process.env.REELWAY_BIN, state, edges: 1, originSettings });
  await cluster.startOrigin();
  cluster.writeCliConfig();
  return cluster;
}

export async function reelway(cluster, args, { json = true } = {}) {
  const child = spawn(join(cluster.bin, "reelway"), [...(json ? ["--json"] : []), ...args], { env: { ...process.env, REELWAY_CONFIG: cluster.cliConfig } });
  const text = { out: "", err: "" };
  child.stdout.on("data", (piece) => { text.out += piece; });
  child.stderr.on("data", (piece) => { text.err += piece; });
  const status = await new Promise((resolve) => child.on("close", resolve));
  let answer = null;
  try { answer = JSON.parse(text.out.trim().split("\n").at(-1)); } catch { /* text */ }
  return { status, ...text, answer };
}

// The answer of a command that must go well.
export async function answerOf(cluster, ...args) {
  const run = await reelway(cluster, args);
  if (run.status !== 0) throw new Error(`reelway ${args.join(" ")}: exit ${run.status}\n${run.out}${run.err}\n${cluster.origin.logTail()}`);
  return run.answer;
}

export async function until(what, limitMs = 60_000) {
  for (const end = Date.now() + limitMs; ;) {
    const value = await what();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${limitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export async function sumOf(file, kind = "sha256") {
  const sum = createHash(kind);
  for await (const piece of createReadStream(file, { highWaterMark: 1 << 22 })) sum.update(piece);
  return sum.digest("hex");
}

// Where the origin keeps an upload's bytes.
export const uploadFile = (cluster, upload) => join(cluster.state, "origin", "uploads", `${upload}.part`);
