// A vendor's delivery of several files: picture, sound per language, subtitles, artwork and the manifest that names them.

import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Cluster, Server } from "../../tools/cluster.mjs";
import { reelway } from "../object_stores/importing.mjs";
import { ffmpeg, makeFilm } from "../support/films.mjs";
import { sha256, until } from "../support/playing.mjs";

const seconds = 6;
const state = mkdtempSync(join(tmpdir(), "reelway-delivery-"));
const watched = join(state, "in");
const vendor = join(state, "vendor");
const tones = { en: 440, es: 660, commentary: 880 };
let cluster;

const manifest = (title, picture) => `# What the vendor sends.
format: 1
title: ${title}
name: A Delivery
picture:
  file: picture.mp4
  sha256: ${sha256(picture)}
audio:
  - {file: english.wav, language: en, role: main, layout: stereo}
  - file: spanish.flac
    language: es-419
  - {file: talk.wav, language: en, role: commentary, layout: mono}
music_and_effects:
  - {file: me.wav, layout: stereo}
subtitles:
  - {file: english.vtt, language: en}
  - {file: spanish.srt, language: es-419, role: forced}
artwork:
  - {file: poster.jpg, role: poster}
`;

function tone(file, hertz, { channels = 2, length = seconds } = {}) {
  ffmpeg(["-f", "lavfi", "-i", `sine=f=${hertz}:r=48000:d=${length}`, "-ac", String(channels), join(vendor, file)]);
}

before(async () => {
  mkdirSync(vendor);
  makeFilm(vendor, { seconds, width: 320, height: 240, rate: 25, audio: false, name: "picture.mp4" });
  tone("english.wav", tones.en);
  tone("spanish.flac", tones.es);
  tone("talk.wav", tones.commentary, { channels: 1 });
  tone("me.wav", 220);
  tone("long.wav", tones.en, { length: seconds + 2 });
  writeFileSync(join(vendor, "english.vtt"), "WEBVTT\n\n00:01.000 --> 00:03.000\nHello.\n");
  writeFileSync(join(vendor, "spanish.srt"), "1\n00:00:01,000 --> 00:00:03,000\nHola.\n");
  writeFileSync(join(vendor, "broken.vtt"), "WEBVTT\n\nSTYLE\n::cue {}\n");
  writeFileSync(join(vendor, "poster.jpg"), Buffer.from("ffd8ffe000104a464946", "hex"));
  writeFileSync(join(vendor, "delivery.yaml"), manifest("delivered", readFileSync(join(vendor, "picture.mp4"))));
  cluster = new Cluster({ bin: process.env.REELWAY_BIN, state, edges: 1, originSettings: {
    "ingest.free_bytes_min": "1MiB", "ingest.watch_folder": watched, "ingest.watch_settle": "1s" } });
  await cluster.start();
});
after(async () => {
  await cluster?.stop();
  rmSync(state, { recursive: true, force: true });
});

const title = async (id) => (await cluster.api("GET", `/v1/titles/${id}`)).body;
const originalsOf = (id, name) => join(state, "origin", "originals", id, "v1", name);

// How much of each tone is in a playlist's sound.
function strongest(url) {
  const bytes = ffmpeg(["-i", url, "-ac", "1", "-ar", "8000", "-f", "s16le", "-"]).stdout;
  const samples = new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + 2 * Math.floor(bytes.length / 2)));
  const power = (hertz) => {
    let [re, im] = [0, 0];
    samples.forEach((sample, n) => { re += sample * Math.cos(2 * Math.PI * hertz * n / 8000); im += sample * Math.sin(2 * Math.PI * hertz * n / 8000); });
    return re * re + im * im;
  };
  return { name: Object.entries(tones).sort((a, b) => power(b[1]) - power(a[1]))[0][0], seconds: samples.length / 8000 };
}

async function checkPublished(id) {
  const { url } = cluster.cli("play-url", id);
  const master = await (await fetch(url)).text();
  const audio = [...master.matchAll(/^#EXT-X-MEDIA:.*TYPE=AUDIO.*$/gm)].map(([line]) => ({
    name: /NAME="([^"]*)"/.exec(line)[1], language: /LANGUAGE="([^"]*)"/.exec(line)[1],
    isDefault: /DEFAULT=YES/.test(line), url: new URL(/URI="([^"]*)"/.exec(line)[1], url).href }));
  assert.deepEqual(audio.map(({ name, language, isDefault }) => [name, language, isDefault]),
    [["en", "en", true], ["es-419", "es", false], ["en (commentary)", "en", false]], master);
  for (const [name, heard] of [["en", "en"], ["es-419", "es"], ["en (commentary)", "commentary"]]) {
    const found = strongest(audio.find((each) => each.name === name).url);
    assert.equal(found.name, heard, name);
    assert.ok(Math.abs(found.seconds - seconds) < 0.1, `${name}: ${found.seconds} s`);
  }
  const { versions } = await title(id);
  assert.deepEqual(versions[0].files.map(({ kind, file, language, role }) => [kind, file, language, role].join(" ")), [
    "audio english.wav en main", "audio spanish.flac es-419 main", "audio talk.wav en commentary", "music_and_effects me.wav  ",
    "subtitles english.vtt en full", "subtitles spanish.srt es-419 forced", "artwork poster.jpg  poster"]);
  for (const [index, name] of ["audio-0", "audio-1", "audio-2", "music_and_effects-0", "subtitles-0", "subtitles-1", "artwork-0"].entries()) {
    assert.equal(sha256(readFileSync(originalsOf(id, name))), versions[0].files[index].sha256, name);
  }
}

test("the command sends every file that the manifest names, and each language plays its own sound", async () => {
  const run = await reelway(cluster, ["ingest", "--manifest", join(vendor, "delivery.yaml")]);
  assert.equal(run.status, 0, run.out + run.err + cluster.origin.logTail());
  await checkPublished("delivered");
  assert.deepEqual((await cluster.api("GET", "/v1/uploads")).body.uploads, []);
});

test("a folder with a manifest in the watched folder is taken as a whole, also over a kill", async () => {
  cpSync(vendor, join(state, "dropped"), { recursive: true });
  writeFileSync(join(state, "dropped", "delivery.yaml"), manifest("dropped", readFileSync(join(vendor, "picture.mp4"))));
  renameSync(join(state, "dropped"), join(watched, "Vendor 17"));
  await cluster.origin.kill();
  await cluster.startOrigin();
  await until("it is published", async () => (await title("dropped")).state === "published", 60_000);
  await until("it is put away", () => existsSync(join(watched, "done", "Vendor 17", "delivery.yaml")));
  await checkPublished("dropped");
});

test("a worker of another machine fetches each file that its parts are made of", async () => {
  const elsewhere = join(state, "elsewhere");
  const secretFile = join(elsewhere, "workers.secret");
  mkdirSync(elsewhere);
  writeFileSync(secretFile, "secret-of-workers-for-this-test-only\n", { mode: 0o600 });
  const house = new Cluster({ bin: process.env.REELWAY_BIN, state: elsewhere, edges: 0, originSettings: {
    "ingest.free_bytes_min": "1MiB", "transcode.local": false, "workers.credential_file": secretFile, "workers.listen": "127.0.0.1:0" } });
  let worker;
  try {
    await house.startOrigin();
    house.writeCliConfig();
    const config = join(elsewhere, "worker.yaml");
    writeFileSync(config, `name: worker\norigin:\n  url: http://${house.ports.work}\n  credential_file: ${secretFile}\nwork_dir: ${join(elsewhere, "worker")}\nslots: 1\n`);
    worker = new Server("worker", join(house.bin, "reelway-worker"), config, elsewhere);
    await worker.start();
    const run = await reelway(house, ["ingest", "--manifest", join(vendor, "delivery.yaml")]);
    assert.equal(run.status, 0, run.out + run.err + worker.logTail());
    for (const track of ["audio-en-aac", "audio-es-419-aac", "audio-en-commentary-aac", "video-240"]) {
      const path = (of) => join(of, "origin", "titles", "delivered", "v1", `${track}.mp4`);
      assert.equal(sha256(readFileSync(path(elsewhere))), sha256(readFileSync(path(state))), track);
    }
  } finally {
    await worker?.stop();
    await house.stop();
  }
});

// Each mistake: what is changed in the manifest, the code, the line, and words of the complaint.
const mistakes = [
  ["no YAML", (text) => text.replace("picture:\n", "picture: [\n"), "manifest_invalid", null, /delivery\.yaml:\d+: /],
  ["an unknown key", (text) => text.replace("name: A", "nmae: A"), "manifest_invalid", 4, /unknown key nmae; there are format, title/],
  ["an unknown key of a file", (text) => text.replace("role: main,", "rolle: main,"), "manifest_invalid", 9, /unknown key rolle/],
  ["another format", (text) => text.replace("format: 1", "format: 2"), "manifest_invalid", 2, /format: expected 1/],
  ["no title", (text) => text.replace("title: broken\n", ""), "manifest_invalid", 2, /title: expected a title id/],
  ["no picture", (text) => text.replace(/picture:\n.*\n.*\n/, ""), "manifest_invalid", 2, /picture: is missing/],
  ["a language that is none", (text) => text.replace("language: es-419\n", "language: spanish\n"), "manifest_invalid", 11, /BCP 47.*found spanish/],
  ["a three-letter code", (text) => text.replace("language: es-419\n", "language: spa\n"), "manifest_invalid", 11, /found spa/],
  ["an unknown role", (text) => text.replace("role: commentary", "role: chatter"), "manifest_invalid", 12, /main, commentary, description/],
  ["a path", (text) => text.replace("english.wav", "../../etc/passwd"), "manifest_invalid", 9, /without folders/],
  ["a file twice", (text) => text.replace("talk.wav", "english.wav"), "manifest_invalid", 12, /named twice/],
  ["a language twice", (text) => text.replace("role: commentary, layout: mono", "role: main"), "manifest_invalid", 12, /language en and role main/],
  ["a sum that is none", (text) => text.replace(/sha256: .*/, "sha256: abc"), "manifest_invalid", 7, /64 hexadecimal digits/],
  ["a file that is not there", (text) => text.replace("poster.jpg", "absent.jpg"), "delivery_file_missing", 19, /absent\.jpg/],
  ["another sum", (text) => text.replace(/sha256: .*/, `sha256: ${"0".repeat(64)}`), "manifest_invalid", 6, /picture\.mp4 has the SHA-256/],
  ["sound of another length", (text) => text.replace("english.wav", "long.wav"), "manifest_invalid", 9, /2\.00 s longer than the picture/],
  ["another layout", (text) => text.replace("layout: stereo}\n  - file", "layout: 5.1}\n  - file"), "manifest_invalid", 9, /has 2 channels.*5\.1/],
  ["sound that is none", (text) => text.replace("talk.wav", "poster.jpg").replace(/artwork:\n.*\n/, ""), null, 12, /poster\.jpg/],
  ["subtitles that are none", (text) => text.replace("english.vtt", "broken.vtt"), "subtitle_malformed", 16, /broken\.vtt/],
];
for (const [what, change, code, line, words] of mistakes) {
  test(`refused with its place: ${what}`, async () => {
    const text = manifest("broken", readFileSync(join(vendor, "picture.mp4")));
    const changed = change(text);
    assert.notEqual(changed, text);
    writeFileSync(join(vendor, "delivery.yaml"), changed);
    const run = await reelway(cluster, ["ingest", "--manifest", join(vendor, "delivery.yaml")], { json: false });
    assert.notEqual(run.status, 0, run.out);
    const said = run.err.trim().split("\n").at(-1);
    if (code) assert.ok(said.startsWith(`reelway: ${code}: `), said);
    if (line) assert.ok(said.includes(`delivery.yaml:${line}: `), said);
    assert.match(said, words);
    assert.match(said, /Remedy: /);
  });
}

test("a delivery that is refused in the watched folder moves as a whole, with the reason beside it", async () => {
  cpSync(vendor, join(state, "dropped"), { recursive: true });
  writeFileSync(join(state, "dropped", "delivery.yaml"), manifest("refused", readFileSync(join(vendor, "picture.mp4"))).replace("me.wav", "absent.wav"));
  renameSync(join(state, "dropped"), join(watched, "Vendor 18"));
  const reason = join(watched, "refused", "Vendor 18.txt");
  await until("it is refused", () => existsSync(reason) && readFileSync(reason, "utf8").includes("delivery_file_missing"), 60_000);
  assert.match(readFileSync(reason, "utf8"), /Vendor 18\/delivery\.yaml:14: absent\.wav/);
  assert.ok(existsSync(join(watched, "refused", "Vendor 18", "picture.mp4")));
});
