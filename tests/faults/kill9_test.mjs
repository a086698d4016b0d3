// kill -9 of edge and origin in the middle of traffic, over and over: after each restart every served byte equals the
// original, no published title is missing, no half-made one is visible. REELWAY_KILLS sets the rounds (default 20).

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Cluster } from "../../tools/cluster.mjs";
import { makeFilm } from "../support/films.mjs";
import { get, objectsOf, sha256, until } from "../support/playing.mjs";

const rounds = Number(process.env.REELWAY_KILLS ?? 20);
const state = mkdtempSync(join(tmpdir(), "reelway-kill-"));
let cluster, master, film;
const original = new Map();  // object path -> SHA-256
const published = new Set();

const objectPath = (url) => new URL(url).pathname.replace(/^\/t\/[^/]+/, "");

before(async () => {
  // After each restart the memory tier is empty, so answers come from the disk tier too.
  cluster = await new Cluster({ bin: process.env.REELWAY_BIN, state, edges: 1, edgeSettings: { "store.memory_bytes": "16MiB" } }).start();
  film = makeFilm(state, { seconds: 12 });
  cluster.cli("ingest", film, "--title", "film-0");
  published.add("film-0");
  master = cluster.cli("play-url", "film-0").url;
  for (const url of await objectsOf(master)) original.set(url, sha256(Buffer.from(await (await cluster.media(objectPath(url))).arrayBuffer())));
});

after(async () => {
  await cluster?.stop();
  rmSync(state, { recursive: true, force: true });
});

// Asks for random objects until told to stop; remembers every whole answer that was wrong.
function traffic() {
  const wrong = [];
  let running = true;
  let served = 0;
  const urls = [...original.keys()];
  const player = async () => {
    while (running) {
      const url = urls[Math.floor(Math.random() * urls.length)];
      try {
        const answer = await get(url);
        if (answer.status === 200) {
          ++served;
          if (sha256(answer.body) !== original.get(url)) wrong.push(url);
        }
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 5));  // the server is down: that is the point
      }
    }
  };
  const players = Array.from({ length: 8 }, player);
  return { stop: async () => { running = false; await Promise.all(players); return { wrong, served }; }, served: () => served };
}

test(`every byte is right after ${rounds} kills of edge and origin`, async () => {
  for (let round = 1; round <= rounds; ++round) {
    const players = traffic();
    const title = `film-${round}`;
    // Every fourth round an ingest is under way when the origin dies.
    let ingest = null;
    if (round % 4 === 1) {
      const whole = await cluster.api("POST", "/v1/uploads", { filename: "film.mp4", size_bytes: statSync(film).size, title });
      const body = readFileSync(film);
      await fetch(`http://${cluster.ports.api}${whole.body.put}`, { method: "PUT", headers: cluster.bearer("api"), body });
      ingest = await cluster.api("POST", "/v1/titles", { title, upload: whole.body.upload });
      assert.equal(ingest.status, 202, JSON.stringify(ingest.body));
    }
    await until("traffic flows", () => players.served() > 20 + Math.random() * 100);
    await Promise.all([cluster.edges[0].kill(), round % 2 === 1 ? cluster.origin.kill() : null]);
    if (round % 2 === 1) await cluster.startOrigin();
    await cluster.startEdge(1);
    await cluster.waitForEdge(cluster.edges[0]);
    const { wrong } = await players.stop();
    assert.deepEqual(wrong, [], `round ${round}`);

    for (const [url, sum] of original) {
      const answer = await get(url);
      assert.equal(answer.status, 200, `round ${round}: ${url} ${answer.body.subarray(0, 300)}`);
      assert.equal(sha256(answer.body), sum, `round ${round}: ${url}`);
    }
    const { titles } = (await cluster.api("GET", "/v1/titles")).body;
    for (const name of published) assert.equal(titles.find((entry) => entry.title === name)?.state, "published", `${name} in round ${round}`);
    if (ingest) {
      await until(`${title} is taken up again and published`, async () => {
        const { state: now, error } = (await cluster.api("GET", `/v1/titles/${title}`)).body;
        assert.notEqual(now, "failed", JSON.stringify(error));
        return now === "published";
      }, 120_000);
      published.add(title);
      assert.equal((await get((await cluster.api("POST", "/v1/play-urls", { title })).body.url)).status, 200);
    }
  }
});
