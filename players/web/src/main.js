// The page: reads ?src=<master URL>&title=<name> and what belongs to the rental (rental.js), joins the parts, and offers window.reelway.

import { Controls } from "./controls.js";
import { startGlow } from "./glow.js";
import { Measure } from "./measure.js";
import { Panel } from "./panel.js";
import { Playback } from "./playback.js";
import { Rental } from "./rental.js";
import { Trouble } from "./trouble.js";

const element = (id) => document.getElementById(id);
const query = new URLSearchParams(location.search);

function masterUrl() {
  try {
    const url = new URL(query.get("src"));
    return ["http:", "https:"].includes(url.protocol) ? url : null;
  } catch {
    return null;
  }
}

const video = element("video");
const measure = new Measure(video);
const playback = new Playback(video, measure);
const trouble = new Trouble(() => start());
const source = masterUrl();

function showNames() {
  const title = query.get("title") || source?.pathname.split("/").at(-3) || "Reelway";
  element("title").textContent = title;
  document.title = title === "Reelway" ? title : `${title} · Reelway`;
  element("edge-chip").lastElementChild.textContent = source?.host ?? "no edge";
}

function start() {
  if (!source) {
    trouble.show({ code: "no film", message: "This page was opened without a film.", detail: "",
      remedy: "Open it with ?src=<play URL>; make one with: reelway play-url TITLE" });
    return;
  }
  if (!Playback.supported) {
    trouble.show({ code: "no media source", message: "This browser cannot play the film.", detail: "It lacks Media Source Extensions.",
      remedy: "Use a recent Firefox, Chromium or Safari." });
    return;
  }
  playback.load(source.href);
}

playback.addEventListener("object", (event) => {
  const { edge } = event.detail.status;
  const chip = element("edge-chip");
  chip.className = "edge-chip live";
  chip.lastElementChild.textContent = edge ? `${edge} · ${source.host}` : source.host;
  element("served").textContent = `served by ${edge || "the edge"} at ${source.host}`;
});
playback.addEventListener("trouble", (event) => {
  element("edge-chip").className = "edge-chip down";
  trouble.show(event.detail);
});
playback.addEventListener("blocked", () => { element("big-play").hidden = false; });

// What the rental says of itself stops the film at once, whatever is buffered.
const rental = new Rental(query, video);
rental.addEventListener("renewed", (event) => playback.renew(event.detail));
rental.addEventListener("denied", (event) => {
  playback.stop();
  element("edge-chip").className = "edge-chip down";
  trouble.tell(event.detail);
});

showNames();
new Controls(video, playback, measure);
new Panel(playback, measure);
startGlow(video, element("glow"));
window.reelway = {
  get stats() { return measure.snapshot(); },
  get master_url() { return source?.href ?? null; },
  get cache() { return { ...playback.counts }; },
};
for (const name of Object.keys(measure.snapshot())) {
  Object.defineProperty(window.reelway, name, { enumerable: true, get: () => measure.snapshot()[name] });
}
start();
