// Files that appear in ingest.watch_folder become titles, also when the origin is killed meanwhile.

import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Cluster } from "../../tools/cluster.mjs";
import { makeFilm } from "../support/films.mjs";
import { until } from "../support/playing.mjs";

const state = mkdtempSync(join(tmpdir(), "reelway-watch-"));
const folder = join(state, "in");
let cluster, film;

before(async () => {
  film = makeFilm(state, { seconds: 4, width: 320, height: 240 });
  cluster = new Cluster({ bin: process.env.REELWAY_BIN, state, edges: 0,
    originSettings: { "ingest.free_bytes_min": "1MiB", "ingest.watch_folder": folder, "ingest.watch_settle": "1s", "log.level": "warn" } });
  await cluster.startOrigin();
});

after(async () => {
  await cluster?.stop();
  rmSync(state, { recursive: true, force: true });
});

// As one should deliver: under a name that is left alone, then renamed.
function deliver(name, source = film) {
  copyFileSync(source, join(folder, `${name}.part`));
  renameSync(join(folder, `${name}.part`), join(folder, name));
}

const published = async (title) => (await cluster.api("GET", `/v1/titles/${title}`)).body.state === "published";

test("a file becomes a title and moves to done/", async () => {
  deliver("My Film (2026).mp4");
  await until("it is published", () => published("my-film-2026"), 60_000);
  await until("it is put away", () => existsSync(join(folder, "done/My Film (2026).mp4")));
});

test("a title that exists is refused, in words", async () => {
  deliver("my-film-2026.mov", makeFilm(state, { seconds: 5, width: 320, height: 240 }));
  const reason = join(folder, "refused/my-film-2026.mov.txt");
  await until("it is refused", () => existsSync(reason) && readFileSync(reason, "utf8").includes("title_exists"));
  assert.ok(existsSync(join(folder, "refused/my-film-2026.mov")));
});

test("an origin that is killed takes it in at its next start", async () => {
  deliver("second.mp4");
  await cluster.origin.kill();
  await cluster.startOrigin();
  await until("it is published", () => published("second"), 60_000);
  await until("it is put away", () => existsSync(join(folder, "done/second.mp4")));
});
