// One film through hls.js: loading it, its levels and languages, and what each answer of the edge said of the cache.
// Emits: "levels", "level", "tracks", "texts", "object", "trouble".

import Hls from "../vendor/hls.min.mjs";
import { cacheStatus } from "./format.js";
import { Preview } from "./preview.js";
import { explainHlsError } from "./trouble.js";

const recoveriesMax = 2;

// The first segment comes from a modest level, so that the picture is there at once; the measured bandwidth decides
// from the second on.
const startBitRateMax = 1_500_000;

export function startLevel(levels) {
  const modest = levels.findLastIndex((level, index) => index < levels.length - 1 && level.bitrate <= startBitRateMax);
  return Math.max(0, modest);
}

// ".../video/720/3.m4s" -> "720p · 3"; ".../audio/en-aac/3.m4s" -> "en-aac · 3".
export function segmentName(url) {
  const [kind, rendition, file] = new URL(url, location.href).pathname.split("/").slice(-3);
  return `${rendition}${kind === "video" ? "p" : ""} · ${file.replace(/\.\w+$/, "")}`;
}

function languageName(track, index) {
  if (track.name && track.name !== track.lang) return track.name;
  try {
    return new Intl.DisplayNames(["en"], { type: "language" }).of(track.lang);
  } catch {
    return track.lang || `Track ${index + 1}`;
  }
}

const surroundNames = { 6: "5.1", 8: "7.1" };

// What people call a track: its name, unless that is but the language's code; and its channels, if it has more than two.
// Its playlist cannot say them in the name: that must be the same in every codec.
export function trackName(track, index) {
  const surround = surroundNames[Number.parseInt(track.channels, 10)];
  return languageName(track, index) + (surround ? ` (${surround})` : "");
}

export const textName = (track) => track.name || languageName(track, 0);

export class Playback extends EventTarget {
  constructor(video, measure) {
    super();
    this.video = video;
    this.measure = measure;
    this.counts = { objects: 0, hits: 0, bytes: 0 };
    this.preview = new Preview();
    this.chosenText = -1;
  }

  static get supported() { return Hls.isSupported(); }

  load(url) {
    this.url = url;
    this.hls?.destroy();
    this.recoveries = 0;
    this.measure.reset();
    // Segments are fragmented MP4, which the page hands on as it is: a worker would only copy it.
    const hls = new Hls({ enableWorker: false, startLevel: undefined, maxBufferLength: 30, backBufferLength: 60,
      xhrSetup: (xhr, asked) => xhr.open("GET", this.#current(asked), true) });
    this.hls = hls;
    hls.on(Hls.Events.MANIFEST_PARSED, () => {
      hls.startLevel = startLevel(hls.levels);
      this.#tell("levels");
      this.video.play().catch(() => this.#tell("blocked"));
    });
    hls.on(Hls.Events.LEVEL_SWITCHED, () => this.#tell("level"));
    hls.on(Hls.Events.AUDIO_TRACKS_UPDATED, () => this.#tell("tracks"));
    hls.on(Hls.Events.AUDIO_TRACK_SWITCHED, () => this.#tell("tracks"));
    hls.on(Hls.Events.AUDIO_TRACK_SWITCHED, () => this.#showTexts());
    hls.on(Hls.Events.SUBTITLE_TRACKS_UPDATED, () => this.#showTexts());
    hls.on(Hls.Events.SUBTITLE_TRACK_SWITCH, () => this.#tell("texts"));
    hls.on(Hls.Events.FRAG_LOADED, (_event, data) => this.#object(data.frag, data.networkDetails));
    hls.on(Hls.Events.ERROR, (_event, data) => this.#error(data));
    hls.loadSource(url);
    hls.attachMedia(this.video);
    this.preview.load(url, (asked) => this.#current(asked));
  }

  // A heartbeat brought a fresh token: what is asked from here on carries it, and nothing is loaded again.
  renew(path) { this.token = path.split("/")[2]; }

  stop() {
    this.hls?.stopLoad();
    this.video.pause();
  }

  #current(url) { return this.token ? url.replace(/\/t\/[^/]+\//, `/t/${this.token}/`) : url; }

  get levels() { return this.hls?.levels ?? []; }
  get level() { return this.hls?.currentLevel ?? -1; }
  // The level that the viewer chose, or -1.
  get chosenLevel() { return this.hls?.manualLevel ?? -1; }
  get automatic() { return this.hls?.autoLevelEnabled ?? true; }
  get bandwidth() { return this.hls?.bandwidthEstimate ?? NaN; }
  get audioTracks() { return this.hls?.audioTracks ?? []; }
  get audioTrack() { return this.hls?.audioTrack ?? -1; }

  chooseLevel(index) {
    this.measure.excuse();
    this.hls.nextLevel = index;
    this.#tell("level");
  }

  chooseAudio(index) {
    this.measure.excuse();
    this.hls.audioTrack = index;
    this.#tell("tracks");
  }

  // What a viewer may choose from: forced ones come by themselves.
  get texts() {
    return (this.hls?.subtitleTracks ?? []).map((track, index) => ({ track, index })).filter(({ track }) => !track.forced);
  }

  chooseText(index) {
    this.chosenText = index;
    this.#showTexts();
  }

  // Without a choice those that must be read whatever is heard, in the language that is heard.
  #showTexts() {
    const heard = this.audioTracks[this.audioTrack]?.lang?.split("-")[0];
    const forced = this.hls.subtitleTracks.findIndex((track) => track.forced && track.lang?.split("-")[0] === heard);
    this.hls.subtitleTrack = this.chosenText >= 0 ? this.chosenText : forced;
    this.#tell("texts");
  }

  #tell(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail })); }

  #object(frag, details) {
    const header = details?.getResponseHeader?.("Cache-Status") ?? details?.headers?.get?.("Cache-Status");
    const status = cacheStatus(header);
    const bytes = frag.stats?.total || frag.stats?.loaded || 0;
    this.counts.objects += 1;
    this.counts.hits += status.kind === "hit" ? 1 : 0;
    this.counts.bytes += bytes;
    const took_ms = frag.stats ? frag.stats.loading.end - frag.stats.loading.start : NaN;
    this.#tell("object", { name: segmentName(frag.url), bytes, took_ms, status });
  }

  // hls.js repeats requests by itself; what is fatal reaches the viewer, but for a decoder that may be set going again.
  #error(data) {
    this.measure.fault(`${data.type} ${data.details}${data.fatal ? " (fatal)" : ""}${data.response?.code ? ` status ${data.response.code}` : ""}`);
    if (!data.fatal) return;
    if (data.type === Hls.ErrorTypes.MEDIA_ERROR && this.recoveries < recoveriesMax) {
      this.recoveries += 1;
      this.hls.recoverMediaError();
      return;
    }
    this.hls.stopLoad();
    this.#tell("trouble", explainHlsError(data));
  }
}
