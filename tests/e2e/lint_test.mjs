// Every playlist of a film with two languages and 5.1 passes the lint, in every packaging that is handed out; what
// playlists declare is measured on the segments themselves; both codings come over a real edge; DASH and clips play.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { Cluster } from "../../tools/cluster.mjs";
import { ffmpeg, videoFrames } from "../support/films.mjs";
import { initFacts, segmentStart } from "../support/fragments.mjs";
import { get } from "../support/playing.mjs";
import { onEdge, Renting } from "../support/renting.mjs";
import { lintDurations, lintMedia, lintMultivariant, lintTogether, measuredRates, parseMedia, parseMultivariant } from "../support/playlist_lint.mjs";

const state = mkdtempSync(join(tmpdir(), "reelway-lint-"));
const packagings = [{ folder: "", suffix: ".m4s", isFmp4: true }, { folder: "ts/", suffix: ".ts", isFmp4: false }];
let cluster, master;

before(async () => {
  cluster = await new Cluster({ bin: process.env.REELWAY_BIN, state, edges: 1 }).start();
  const film = join(state, "film.mkv");
  ffmpeg([
    "-f", "lavfi", "-i", "testsrc2=s=1280x720:r=24000/1001:d=31", "-f", "lavfi", "-i", "anoisesrc=a=0.1:r=48000:d=31,aformat=channel_layouts=5.1",
    "-f", "lavfi", "-i", "sine=f=500:r=48000:d=31,aformat=channel_layouts=stereo", "-map", "0:v", "-map", "1:a", "-map", "2:a",
    "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "flac",
    "-metadata:s:a:0", "language=eng", "-metadata:s:a:0", "title=English", "-disposition:a:0", "default",
    "-metadata:s:a:1", "language=fra", "-metadata:s:a:1", "title=Français", film,
  ]);
  cluster.cli("ingest", film, "--title", "linted", "--name", "A \"linted\" film");
  master = cluster.cli("play-url", "linted").url;
});

after(async () => {
  await cluster?.stop();
  rmSync(state, { recursive: true, force: true });
});

const text = async (url) => {
  const answer = await get(url);
  assert.equal(answer.status, 200, `${url}: ${answer.error}`);
  return answer.body.toString();
};

// Every media playlist of a multivariant one: { uri, url, text, media }, and the lengths of its segments.
async function playlistsOf(masterUrl) {
  const list = parseMultivariant(await text(masterUrl));
  const uris = new Set([...list.variants.map((one) => one.URI), ...list.media.map((one) => one.URI)]);
  const found = new Map();
  for (const uri of uris) {
    const url = new URL(uri, masterUrl).href;
    const body = await text(url);
    const media = parseMedia(body);
    const segments = [];
    for (const segment of media.segments) segments.push((await get(new URL(segment.uri, url).href)).body);
    found.set(uri, { uri, url, text: body, media, segments });
  }
  return { list, playlists: found };
}

for (const { folder, isFmp4 } of packagings) {
  test(`the playlists of ${folder || "cmaf"} keep the rules`, async () => {
    const masterUrl = new URL(`${folder}master.m3u8`, master).href;
    assert.deepEqual(lintMultivariant(await text(masterUrl)), []);
    const { list, playlists } = await playlistsOf(masterUrl);
    assert.ok(list.variants.length >= 4, "several bit rates (9.9)");
    for (const one of playlists.values()) {
      assert.deepEqual(lintMedia(one.text, { isFmp4, isVideo: one.uri.startsWith("video/") }), [], one.uri);
    }
    assert.deepEqual(lintTogether(new Map([...playlists.values()].map((one) => [one.uri, one.text]))), []);

    // 1.26, 1.27, 9.13: rates are those of the worst playable combination.
    const rates = new Map([...playlists.values()].map((one) => [one.uri, measuredRates(one.media, one.segments.map((bytes) => bytes.length))]));
    for (const variant of list.variants) {
      const audio = list.media.filter((one) => one.TYPE === "AUDIO" && one["GROUP-ID"] === variant.AUDIO).map((one) => rates.get(one.URI));
      const peak = rates.get(variant.URI).peak + Math.max(...audio.map((one) => one.peak));
      const average = rates.get(variant.URI).average + Math.max(...audio.map((one) => one.average));
      const peakOff = Number(variant.BANDWIDTH) / peak - 1, averageOff = Number(variant["AVERAGE-BANDWIDTH"]) / average - 1;
      assert.ok(peakOff >= -0.0001 && peakOff < 0.01, `${variant.URI}: BANDWIDTH is off by ${peakOff}`);
      assert.ok(Math.abs(averageOff) < 0.01, `${variant.URI}: AVERAGE-BANDWIDTH is off by ${averageOff}`);
    }

    // 8.1, 7.3: boundaries are those of the samples.
    for (const one of isFmp4 ? playlists.values() : []) {
      const init = initFacts((await get(new URL("init.mp4", one.url).href)).body);
      const boundaries = one.segments.map((bytes) => segmentStart(bytes).shown - init.start);
      boundaries[0] = 0n;
      boundaries.push(init.duration);
      assert.deepEqual(lintDurations(one.media, boundaries, init.timescale), [], one.uri);
    }
  });

  test(`the I-frames of ${folder || "cmaf"} are pictures`, async () => {
    const masterUrl = new URL(`${folder}master.m3u8`, master).href;
    const list = parseMultivariant(await text(masterUrl));
    for (const stream of list.iframes) {
      const url = new URL(stream.URI, masterUrl).href;
      const body = await text(url);
      assert.deepEqual(lintMedia(body, { isFmp4, isVideo: true }), [], stream.URI);
      const media = parseMedia(body);
      assert.equal(media.segments.length, 16, "one for each 2 s");
      const lengths = media.segments.map((segment) => segment.range.bytes);
      const measured = measuredRates(media, lengths);
      assert.ok(Math.abs(Number(stream.BANDWIDTH) / measured.peak - 1) < 0.01, stream.URI);
      const init = isFmp4 ? (await get(new URL("init.mp4", url).href)).body : Buffer.alloc(0);
      for (const at of [0, 7, 15]) {
        const { uri, range } = media.segments[at];
        const piece = await get(new URL(uri, url).href, { headers: { Range: `bytes=${range.offset}-${range.offset + range.bytes - 1}` } });
        assert.equal(piece.status, 206);
        assert.equal(piece.body.length, range.bytes);
        if (isFmp4) assert.equal(piece.body.toString("latin1", 4, 8), "moof", "6.10");
        const file = join(state, "picture");
        writeFileSync(file, Buffer.concat([init, piece.body]));
        const shown = videoFrames(file);
        assert.equal(shown.length, 1, `${stream.URI} ${at}`);
      }
    }
  });
}

// A request as it stands, with the body as it came.
function raw(url, headers) {
  return new Promise((resolve, reject) => {
    request(url, { headers }, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => resolve({ status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts) }));
    }).on("error", reject).end();
  });
}

test("10.1: whoever takes gzip gets it, from one stored object a coding", async () => {
  for (const file of ["video/720/media.m3u8", "master.m3u8", "manifest.mpd", "video/720/iframes.m3u8"]) {
    const url = new URL(file, master).href;
    const lists = async () => {
      let sum = 0;
      for (const [labels, value] of await cluster.metrics("origin", "reelway_origin_media_requests_total")) sum += /multivariant|media_playlist/.test(labels) ? value : 0;
      return sum;
    };
    const before_ = await lists();
    const plain = await raw(url, {});
    assert.equal(plain.headers["content-encoding"], undefined, file);
    assert.match(plain.headers.vary, /Accept-Encoding/);
    const etags = new Set();
    for (const accepted of ["gzip", "gzip, deflate, br, zstd", "br;q=1.0, gzip;q=0.8, *;q=0.1", "x-gzip"]) {
      const packed = await raw(url, { "Accept-Encoding": accepted });
      assert.equal(packed.headers["content-encoding"], "gzip", `${file} ${accepted}`);
      assert.match(packed.headers.vary, /Accept-Encoding/);
      assert.deepEqual(gunzipSync(packed.body), plain.body);
      etags.add(packed.headers.etag);
    }
    assert.equal(etags.size, 1);
    assert.ok(!etags.has(plain.headers.etag), "each coding has a strong tag of its own");
    for (const refused of ["identity", "br", "gzip;q=0"]) {
      assert.deepEqual((await raw(url, { "Accept-Encoding": refused })).body, plain.body, refused);
    }
    const [tag] = etags;
    assert.equal((await raw(url, { "Accept-Encoding": "gzip", "If-None-Match": tag })).status, 304);
    // At most one question for each coding, however many spell it.
    const asked = (await lists()) - before_;
    assert.ok(asked <= 2, `${file}: ${asked} requests at the origin`);
  }
});

test("the DASH manifest plays the same segments", async () => {
  const url = new URL("manifest.mpd", master).href;
  const answer = await get(url);
  assert.equal(answer.headers.get("content-type"), "application/dash+xml");
  const sets = [...answer.body.toString().matchAll(/<AdaptationSet [^>]*contentType="(\w+)"/g)].map((match) => match[1]);
  assert.deepEqual(sets, ["video", "audio", "audio", "audio"]);
  const run = spawnSync("ffprobe", ["-v", "warning", "-show_entries", "stream=codec_name,width,channels:packet=pts_time", "-read_intervals", "%+#1", "-of", "json", url], { encoding: "utf8" });
  assert.equal(run.status, 0, run.stderr);
  const streams = JSON.parse(run.stdout).streams;
  assert.deepEqual([...new Set(streams.map((one) => one.codec_name))].sort(), ["aac", "eac3", "h264"]);
  const frames = spawnSync("ffmpeg", ["-v", "error", "-nostdin", "-i", url, "-map", "0:v:0", "-f", "framemd5", "-"], { encoding: "utf8", maxBuffer: 1 << 28 });
  assert.equal(frames.stderr, "");
  const hashes = (output) => output.split("\n").filter((line) => line && !line.startsWith("#")).map((line) => line.split(",").at(-1).trim());
  const best = parseMultivariant(await text(master)).variants.find((one) => one.RESOLUTION === "1280x720");
  assert.deepEqual(hashes(frames.stdout), videoFrames(new URL(best.URI, master).href));
  assert.equal((await get(new URL("ts/manifest.mpd", master).href)).status, 404);
});

test("a clip is a film of its own, and nothing else", async () => {
  const made = cluster.cli("play-url", "linted", "--clip", "3-11");
  assert.ok(made.clip.from_ms <= 3000 && made.clip.from_ms > 900, JSON.stringify(made.clip));
  assert.ok(made.clip.to_ms >= 11_000 && made.clip.to_ms < 13_100, JSON.stringify(made.clip));
  const clip = made.url;
  assert.match(clip, /\/clip-\d+-\d+\/master\.m3u8$/);
  const film = parseMultivariant(await text(master)).variants.find((one) => one.RESOLUTION === "1280x720");
  const whole = videoFrames(new URL(film.URI, master).href);
  for (const { folder, isFmp4 } of packagings) {
    const clipMaster = new URL(`${folder}master.m3u8`, clip).href;
    assert.deepEqual(lintMultivariant(await text(clipMaster)), []);
    const { playlists } = await playlistsOf(clipMaster);
    for (const one of playlists.values()) assert.deepEqual(lintMedia(one.text, { isFmp4, isVideo: one.uri.startsWith("video/") }), [], one.uri);
    const video = playlists.get("video/720/media.m3u8");
    assert.ok(Math.abs(video.media.micros / 1000 - (made.clip.to_ms - made.clip.from_ms)) < 2);
    const shown = videoFrames(video.url);
    const first = whole.indexOf(shown[0]);
    assert.ok(first > 0);
    assert.deepEqual(shown, whole.slice(first, first + shown.length), folder);
    assert.equal(first, Math.round((made.clip.from_ms / 1000) * (24000 / 1001)), folder);
    // Times begin at 0: picture and sound within a frame of sound.
    const start = (uri) => Number(spawnSync("ffprobe", ["-v", "error", "-show_entries", "stream=start_time", "-of", "csv=p=0", playlists.get(uri).url], { encoding: "utf8" }).stdout.trim().split("\n")[0]);
    const [picture, sound] = [start("video/720/media.m3u8"), start("audio/en-aac/media.m3u8")];
    assert.ok(Math.abs(sound - picture) < 0.03, `${folder}: picture ${picture}, sound ${sound}`);
    if (isFmp4) assert.ok(Math.abs(picture) < 0.001, String(picture));
  }
  // The token is for that clip alone, and the film's for the film alone.
  const token = clip.split("/")[4], base = clip.slice(0, clip.indexOf("/t/"));
  const filmToken = master.split("/")[4];
  for (const path of ["master.m3u8", "video/720/media.m3u8", "video/720/0.m4s", "ts/video/720/0.ts", "clip-0-1/master.m3u8", "clip-0-99/video/720/0.m4s", "video/720/iframes-0.mp4", "manifest.mpd"]) {
    const refused = await get(`${base}/t/${token}/linted/v1/${path}`);
    assert.equal(refused.status, 403, path);
    assert.equal(refused.error, "rendition_not_in_offer", path);
  }
  assert.equal((await get(`${base}/t/${filmToken}/linted/v1/clip-0-3/master.m3u8`)).status, 403);
  assert.throws(() => cluster.cli("play-url", "linted", "--clip", "50-60"), /clip_invalid/);
  assert.throws(() => cluster.cli("play-url", "linted", "--clip", "9-3"), /clip_invalid/);
  assert.throws(() => cluster.cli("play-url", "linted", "--clip", "x"), /http_bad_request/);
});

test("an SD rental finds nothing of HD in any list, and gets none of it by a guessed path", async () => {
  const renting = new Renting(cluster);
  await renting.offer({ name: "sd", max_height: 480, languages: ["en"] });
  await renting.order("thrifty", "linted", { offer: "sd" });
  const sd = onEdge((await renting.playback("thrifty", "linted")).master_url, cluster.edges[0]);
  const tooHigh = /video\/(?!(?:\d\d|[123]\d\d|4[0-7]\d|480)(?:-\d+)?[/"])\d/;
  for (const file of ["master.m3u8", "ts/master.m3u8", "manifest.mpd"]) {
    for (const encoding of ["gzip", "identity"]) {
      const answer = await get(new URL(file, sd).href, { headers: { "Accept-Encoding": encoding } });
      assert.equal(answer.status, 200, file);
      const body = answer.body.toString();
      assert.doesNotMatch(body, tooHigh, file);
      assert.doesNotMatch(body, /1280|"fr"|fr-aac/, file);
      assert.match(body, /video\/360/, file);
      assert.match((await get(new URL(file, master).href)).body.toString(), /video\/720/, "the whole film's list is another");
    }
  }
  const files = ["media.m3u8", "init.mp4", "0.m4s", "0.ts", "iframes.m3u8", "iframes-0.mp4", "key", "clearkey.json", "single.mp4", "single.m3u8"];
  for (const clip of ["", "clip-0-3/"]) {
    for (const folder of ["", "ts/", "aes/", "cbcs/", "cenc/", "ts-aes/", "ts-sample-aes/", "unknown/"]) {
      for (const file of files) {
        for (const track of ["video/720", "video/720-2", "video/1080"]) {
          const path = `${clip}${folder}${track}/${file}`;
          assert.equal((await get(new URL(path, sd).href)).error, "rendition_not_in_offer", path);
        }
        if (clip !== "") continue;
        assert.equal((await get(new URL(`${folder}audio/fr-aac/${file}`, sd).href)).error, "language_not_in_offer", `${folder} ${file}`);
      }
    }
  }
  for (const path of ["video/360/media.m3u8", "video/360/iframes.m3u8", "video/360/iframes-0.mp4", "ts/video/360/0.ts", "video/360/0.m4s"]) {
    assert.equal((await get(new URL(path, sd).href)).status, 200, path);
  }
});
