// The live panel: what plays, from where, how well. Redrawn twice a second.

import { bitRate, size } from "./format.js";

const feedMax = 6;
const sparkPoints = 60;
const element = (id) => document.getElementById(id);

// Sets "12.3 Mbit/s" with the unit in a lighter tone.
function figure(id, value, unit = "") {
  const target = element(id);
  target.textContent = value;
  if (unit) {
    const small = document.createElement("em");
    small.textContent = ` ${unit}`;
    target.append(small);
  }
}

export class Panel {
  constructor(playback, measure) {
    this.playback = playback;
    this.measure = measure;
    this.bandwidths = [];
    playback.addEventListener("object", (event) => this.#feed(event.detail));
    setInterval(() => this.draw(), 500);
  }

  draw() {
    const { playback, measure } = this;
    const figures = measure.snapshot();
    const level = playback.levels[playback.level];
    const height = measure.video.videoHeight;
    figure("s-level", height ? `${height}p` : "–", level ? bitRate(level.bitrate).join(" ") : "");
    element("s-codec").textContent = level ? [`${level.width}×${level.height}`, level.videoCodec, level.audioCodec].filter(Boolean).join(" · ") : "";
    this.#drawBuffer();
    figure("s-dropped", figures.dropped_frames);
    element("s-frames").textContent = `of ${figures.decoded_frames} frames`;
    if (figures.startup_ms === null) figure("s-start", "–");
    else figure("s-start", ...(figures.startup_ms < 1000 ? [figures.startup_ms, "ms"] : [(figures.startup_ms / 1000).toFixed(1), "s"]));
    element("s-stalls").textContent = `${figures.stalls || "no"} stall${figures.stalls === 1 ? "" : "s"}`;
    const { objects, hits, bytes } = playback.counts;
    if (objects > 0) figure("s-ratio", Math.round((hits / objects) * 100), "%");
    element("s-bytes").textContent = objects > 0 ? `${hits} of ${objects}, ${size(bytes).join(" ")}` : "";
    this.#drawBandwidth();
  }

  #drawBuffer() {
    const { video } = this.measure;
    let ahead = 0;
    for (let i = 0; i < video.buffered.length; ++i) {
      if (video.buffered.start(i) <= video.currentTime + 0.1) ahead = Math.max(ahead, video.buffered.end(i) - video.currentTime);
    }
    figure("s-buffer", Math.max(0, ahead).toFixed(1), "s");
    const left = Number.isFinite(video.duration) ? video.duration - video.currentTime : 30;
    element("s-buffer-meter").style.width = `${Math.min(100, (ahead / Math.max(0.1, Math.min(30, left))) * 100)}%`;
  }

  #drawBandwidth() {
    const now = this.playback.bandwidth;
    if (!(now > 0) || this.playback.counts.objects === 0) return;  // before that it is a guess
    figure("s-bandwidth", ...bitRate(now));
    this.bandwidths.push(now);
    if (this.bandwidths.length > sparkPoints) this.bandwidths.shift();
    const top = Math.max(...this.bandwidths) * 1.15;
    const step = 120 / (sparkPoints - 1);
    const start = 120 - (this.bandwidths.length - 1) * step;
    const points = this.bandwidths.map((value, i) => `${(start + i * step).toFixed(1)} ${(32 - (value / top) * 30).toFixed(1)}`);
    const [area, line] = element("s-spark").children;
    line.setAttribute("d", `M${points.join("L")}`);
    area.setAttribute("d", `M${start.toFixed(1)} 32L${points.join("L")}L120 32Z`);
  }

  #feed({ name, bytes, took_ms, status }) {
    const row = document.createElement("li");
    const part = (className, words) => {
      const span = document.createElement("span");
      span.className = className;
      span.textContent = words;
      row.append(span);
    };
    part(`badge ${status.kind}`, status.kind === "hit" ? `hit ${status.words}`.replace("hit hit", "hit") : status.words);
    part("name", name);
    part("size", size(bytes).join(" "));
    part("took", `${Math.round(took_ms)} ms`);
    const feed = element("s-feed");
    feed.querySelector(".empty")?.remove();
    feed.prepend(row);
    while (feed.children.length > feedMax) feed.lastChild.remove();
  }
}
