// A film in many parts, made by several workers that are killed at random moments, and the origin too: it is published
// all the same, byte for byte as one worker alone makes it in peace, and no kill costs more than the parts that were
// being made. REELWAY_FILM_SECONDS (default 150) sets the film's length, REELWAY_WORKER_KILLS (default 5) and
// REELWAY_ORIGIN_KILLS (default 1) how often.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Cluster, Server } from "../../tools/cluster.mjs";
import { makeFilm } from "../support/films.mjs";
import { randomFrom } from "../support/random.mjs";

const bin = process.env.REELWAY_BIN;
const seconds = Number(process.env.REELWAY_FILM_SECONDS ?? 150);
const workerKills = Number(process.env.REELWAY_WORKER_KILLS ?? 5);
const originKills = Number(process.env.REELWAY_ORIGIN_KILLS ?? 1);
const seed = Number(process.env.REELWAY_SEED ?? Date.now() % 1_000_000);
const random = randomFrom(seed);
const gapMs = 1000 * Math.max(1, seconds / 100);  // between kills, so that they fall anywhere within a part
const folder = mkdtempSync(join(tmpdir(), "reelway-workers-"));
const secret = "secret-of-workers-for-this-test-only";
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const running = [];

after(async () => {
  for (const each of running) await each.stop();
  rmSync(folder, { recursive: true, force: true });
});

class House {
  constructor(name, originSettings) {
    this.state = join(folder, name);
    mkdirSync(this.state, { recursive: true });
    writeFileSync(join(this.state, "workers.secret"), secret + "\n", { mode: 0o600 });
    this.cluster = new Cluster({ bin, state: this.state, edges: 0, originSettings: {
      "workers.credential_file": join(this.state, "workers.secret"), "workers.listen": "127.0.0.1:0", ...originSettings } });
    this.workers = [];
    running.push(this);
  }

  async start(workers) {
    await this.cluster.startOrigin();
    this.cluster.originSettings["workers.listen"] = this.cluster.ports.work;
    this.cluster.writeCliConfig();
    for (let number = 1; number <= workers; ++number) this.workers.push(await this.startWorker(number));
    return this;
  }

  async startWorker(number) {
    const config = join(this.state, `worker-${number}.yaml`);
    writeFileSync(config, `name: worker-${number}\norigin:\n  url: http://${this.cluster.ports.work}\n  credential_file: ${join(this.state, "workers.secret")}\nwork_dir: ${join(this.state, `worker-${number}`)}\nslots: 1\n`);
    const worker = new Server(`worker-${number}`, join(bin, "reelway-worker"), config, this.state);
    await worker.start();
    return worker;
  }

  async ingest(film) {
    const begun = await this.cluster.api("POST", "/v1/uploads", { filename: "film.mp4", size_bytes: readFileSync(film).length, title: "film", new_version: false });
    const upload = await fetch(`http://${this.cluster.ports.api}/v1/uploads/${begun.body.upload}`, { method: "PUT", headers: this.cluster.bearer("api"), body: readFileSync(film) });
    assert.equal(upload.status, 200);
    const made = await this.cluster.api("POST", "/v1/titles", { title: "film", upload: begun.body.upload });
    assert.equal(made.status, 202, JSON.stringify(made.body));
    return made.body.job;
  }

  async job(id) {
    return (await this.cluster.api("GET", `/v1/jobs/${id}`)).body;
  }

  async ended(id, limitMs = 560_000) {
    for (const end = Date.now() + limitMs; ;) {
      const job = await this.job(id).catch(() => null);
      if (job && (job.state === "done" || job.state === "failed")) return job;
      if (Date.now() > end) throw new Error(`the job has not ended: ${JSON.stringify(job)}\n${this.cluster.origin.logTail(40)}`);
      await sleep(200);
    }
  }

  files() {
    const place = join(this.state, "origin", "titles", "film", "v1");
    return Object.fromEntries(readdirSync(place).sort().map((name) => [name, createHash("sha256").update(readFileSync(join(place, name))).digest("hex")]));
  }

  async stop() {
    for (const worker of this.workers) await worker.stop();
    await this.cluster.stop();
  }
}

test(`three workers, ${workerKills} killed, the origin ${originKills} times (seed ${seed})`, async (context) => {
  const film = makeFilm(folder, { seconds, rate: 25 });
  const quiet = await new House("quiet", { "transcode.jobs": 1 }).start(0);
  assert.equal((await quiet.ended(await quiet.ingest(film))).state, "done", quiet.cluster.origin.logTail(40));
  const wanted = quiet.files();
  await quiet.stop();

  const house = await new House("killed", { "transcode.local": false, "workers.lease": "3s" }).start(3);
  const id = await house.ingest(film);
  let killed = 0, originKilled = 0, isEnded = false;
  const end = house.ended(id).then((job) => { isEnded = true; return job; });
  while (!isEnded && (killed < workerKills || originKilled < originKills)) {
    await sleep(gapMs * (0.5 + 1.5 * random()));
    const making = (await house.job(id).catch(() => null))?.making ?? [];
    const busy = making.filter((part) => part.state === "running");
    if (isEnded || busy.length === 0) continue;
    if (originKilled < originKills && random() < 0.2) {
      await house.cluster.origin.kill();
      await house.cluster.startOrigin();
      ++originKilled;
      continue;
    }
    if (killed >= workerKills) continue;
    const number = Number(/\d+$/.exec(busy[Math.floor(busy.length * random())].worker)[0]);
    await house.workers[number - 1].kill();
    house.workers[number - 1] = await house.startWorker(number);
    ++killed;
  }
  const job = await end;
  assert.equal(job.state, "done", `${JSON.stringify(job)}\n${house.cluster.origin.logTail(40)}`);
  assert.ok(killed > 0, "the film was done before anything could be killed");
  assert.deepEqual(house.files(), wanted);
  context.diagnostic(`killed ${killed} workers and the origin ${originKilled} times; ${job.claims} claims for ${job.parts} parts, ${job.failures} failures, ${job.cost.cpu_s.toFixed(1)} s of CPU`);
  assert.equal(job.failures, 0, "a lost claim counted as a failure");
  // A kill of the origin takes no claim; a worker that was killed had one part at most.
  assert.ok(job.claims <= job.parts + killed, `${job.claims} claims for ${job.parts} parts`);
});
