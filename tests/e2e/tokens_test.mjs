// 403 with a code of its own for every way in which a token can be wrong.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Cluster } from "../../tools/cluster.mjs";
import { makeFilm } from "../support/films.mjs";
import { get, until } from "../support/playing.mjs";

const state = mkdtempSync(join(tmpdir(), "reelway-tokens-"));
let cluster;

before(async () => {
  cluster = await new Cluster({ bin: process.env.REELWAY_BIN, state, edges: 1, edgeSettings: {
    "tokens.failures_burst": 1_000_000 } }).start();  // thousands of bad signatures come from here, and each is asked for its code
  const film = makeFilm(state, { seconds: 4 });
  for (const title of ["film-one", "film-two"]) cluster.cli("ingest", film, "--title", title);
});

after(async () => {
  await cluster?.stop();
  rmSync(state, { recursive: true, force: true });
});

const nowS = () => Math.floor(Date.now() / 1000);
const playUrl = async (body) => {
  const answer = await cluster.api("POST", "/v1/play-urls", { title: "film-one", ...body });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
};
const refusal = async (url) => {
  const answer = await get(url);
  assert.equal(answer.status, 403, `${url} ${answer.body}`);
  const body = JSON.parse(answer.body);
  assert.equal(body.error.code, answer.error);
  assert.ok(body.error.remedy.length > 0);
  return answer.error;
};

test("a good token plays", async () => {
  assert.equal((await get((await playUrl({})).url)).status, 200);
});

test("no token", async () => {
  const { url, token } = await playUrl({});
  assert.equal(await refusal(url.replace(`/t/${token}`, "")), "token_missing");
});

test("any one flipped bit", async () => {
  const { url, token } = await playUrl({});
  assert.equal((await get(url)).status, 200);
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const seen = new Map();
  for (let at = 0; at < token.length; ++at) {
    const value = alphabet.indexOf(token[at]);
    for (let bit = 0; bit < 6; ++bit) {
      const flipped = token.slice(0, at) + alphabet[value ^ (1 << bit)] + token.slice(at + 1);
      const code = await refusal(url.replace(token, flipped));
      seen.set(code, (seen.get(code) ?? 0) + 1);
    }
  }
  const known = ["token_malformed", "token_signature_bad", "token_expired", "token_not_yet_valid", "token_other_title", "token_key_unknown"];
  for (const code of seen.keys()) assert.ok(known.includes(code), code);
  assert.ok(seen.get("token_signature_bad") > 64 * 6, JSON.stringify([...seen]));
});

test("expired", async () => {
  assert.equal(await refusal((await playUrl({ not_before_s: nowS() - 100, ttl_s: 50 })).url), "token_expired");
});

test("not yet valid", async () => {
  assert.equal(await refusal((await playUrl({ not_before_s: nowS() + 600, ttl_s: 60 })).url), "token_not_yet_valid");
});

test("another title's token", async () => {
  const { url } = await playUrl({});
  assert.equal(await refusal(url.replace("/film-one/", "/film-two/")), "token_other_title");
});

test("an unknown title's path and an unknown object", async () => {
  const { url } = await playUrl({});
  const gone = await get(url.replace("master.m3u8", "video/999/media.m3u8"));
  assert.equal(gone.status, 404);
  assert.equal((await get(url.replace("master.m3u8", "../../etc/passwd"))).status >= 400, true);
});

test("a retired key, also for tokens that the edge remembers", async () => {
  const old = await playUrl({});
  assert.equal((await get(old.url)).status, 200);
  const rotated = cluster.cli("keys", "rotate");
  const fresh = await playUrl({});
  assert.equal(fresh.kid, rotated.kid);
  assert.equal((await get(fresh.url)).status, 200);
  assert.equal((await get(old.url)).status, 200);
  cluster.cli("keys", "retire", String(old.kid));
  await until("the edge knows that the key is retired", async () => (await get(old.url)).status === 403);
  assert.equal(await refusal(old.url), "token_key_retired");
  assert.equal((await get(fresh.url)).status, 200);
});
