// Everything under the viewer's hand: the bar, its menus, the keyboard.

import { bitRate, clock } from "./format.js";
import { textName, trackName } from "./playback.js";

const idleAfterMs = 2600;
const element = (id) => document.getElementById(id);
const icon = (button, name) => button.querySelector("use").setAttribute("href", `#i-${name}`);

export class Controls {
  constructor(video, playback, measure) {
    Object.assign(this, { video, playback, measure, stage: element("stage") });
    this.#bar();
    this.#seek();
    this.#menus();
    this.#idle();
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  toggle() {
    if (this.video.paused) this.video.play().catch(() => {});
    else this.video.pause();
  }

  seekBy(seconds) {
    this.seekTo(this.video.currentTime + seconds);
    this.toast(`${seconds > 0 ? "+" : "−"}${Math.abs(seconds)} s`);
  }

  seekTo(seconds) {
    if (Number.isFinite(this.video.duration)) this.video.currentTime = Math.min(Math.max(0, seconds), this.video.duration);
  }

  sound(on) {
    this.video.muted = !on;
    if (on && this.video.volume === 0) this.video.volume = 0.5;
  }

  volumeBy(step) {
    this.video.volume = Math.min(1, Math.max(0, this.video.volume + step));
    this.video.muted = this.video.volume === 0;
    this.toast(`Volume ${Math.round(this.video.volume * 100)} %`);
  }

  fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.stage.requestFullscreen?.().catch(() => {});
  }

  panel() {
    const panel = element("panel");
    panel.hidden = !panel.hidden;
    document.querySelector("main").classList.toggle("alone", panel.hidden);
    element("panel-toggle").setAttribute("aria-pressed", String(!panel.hidden));
  }

  toast(words) {
    const toast = element("toast");
    toast.textContent = words;
    toast.classList.add("on");
    clearTimeout(this.toastTimer);
    this.toastTimer = setTimeout(() => toast.classList.remove("on"), 900);
  }

  #bar() {
    const { video } = this;
    const on = (id, action) => element(id).addEventListener("click", action);
    on("play", () => this.toggle());
    on("big-play", () => this.toggle());
    on("mute", () => this.sound(video.muted));
    on("unmute", () => this.sound(true));
    on("full", () => this.fullScreen());
    on("panel-toggle", () => this.panel());
    on("keys", () => { element("keys").hidden = true; });
    video.addEventListener("click", () => this.toggle());
    video.addEventListener("dblclick", () => this.fullScreen());
    element("volume").addEventListener("input", (event) => {
      video.volume = Number(event.target.value);
      video.muted = video.volume === 0;
    });
    for (const name of ["play", "pause", "ended"]) video.addEventListener(name, () => this.#showPlaying());
    video.addEventListener("volumechange", () => this.#showSound());
    for (const name of ["waiting", "seeking", "loadstart"]) video.addEventListener(name, () => this.stage.classList.add("waiting"));
    for (const name of ["playing", "seeked", "pause", "error", "canplay"]) video.addEventListener(name, () => this.stage.classList.remove("waiting"));
    for (const name of ["timeupdate", "durationchange", "progress", "seeking"]) video.addEventListener(name, () => this.#showTime());
    this.#showSound();
  }

  #showPlaying() {
    const still = this.video.paused || this.video.ended;
    icon(element("play"), still ? "play" : "pause");
    element("play").setAttribute("aria-label", still ? "Play" : "Pause");
    element("big-play").hidden = !still;
    this.#wake();
  }

  #showSound() {
    const { video } = this;
    icon(element("mute"), video.muted ? "muted" : "sound");
    element("volume").value = video.muted ? 0 : video.volume;
    element("unmute").hidden = !video.muted;
  }

  #showTime() {
    const { video } = this;
    const length = Number.isFinite(video.duration) ? video.duration : 0;
    const share = (seconds) => `${length > 0 ? Math.min(100, (seconds / length) * 100) : 0}%`;
    let ahead = 0;
    for (let i = 0; i < video.buffered.length; ++i) {
      if (video.buffered.start(i) <= video.currentTime + 0.5) ahead = Math.max(ahead, video.buffered.end(i));
    }
    element("time").textContent = clock(video.currentTime);
    element("duration").textContent = clock(length);
    element("seek-done").style.width = share(video.currentTime);
    element("seek-buffer").style.width = share(ahead);
    element("seek-knob").style.left = share(video.currentTime);
    const seek = element("seek");
    seek.setAttribute("aria-valuemax", Math.round(length));
    seek.setAttribute("aria-valuenow", Math.round(video.currentTime));
    seek.setAttribute("aria-valuetext", `${clock(video.currentTime)} of ${clock(length)}`);
  }

  #seek() {
    const seek = element("seek");
    const at = (event) => {
      const box = seek.getBoundingClientRect();
      return Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
    };
    seek.addEventListener("pointerdown", (event) => {
      seek.setPointerCapture(event.pointerId);
      seek.classList.add("held");
      this.seekTo(at(event) * this.video.duration);
    });
    seek.addEventListener("pointermove", (event) => {
      this.#hint(at(event), seek);
      if (seek.classList.contains("held")) this.seekTo(at(event) * this.video.duration);
    });
    for (const name of ["pointerup", "pointercancel"]) seek.addEventListener(name, () => seek.classList.remove("held"));
  }

  // The time under the pointer, and its picture where the film has them; within the bar's width.
  #hint(share, seek) {
    const time = share * this.video.duration;
    const picture = this.playback.preview.at(time);
    const style = element("seek-picture").style;
    element("seek-picture").hidden = !picture;
    if (picture) {
      Object.assign(style, { width: `${picture.width}px`, height: `${picture.height}px`, backgroundPosition: picture.position });
      if (style.backgroundImage !== picture.image) style.backgroundImage = picture.image;
    }
    element("seek-time").textContent = clock(time);
    const half = element("seek-hint").offsetWidth / 2;
    element("seek-hint").style.left = `${Math.min(Math.max(share * seek.clientWidth, half), seek.clientWidth - half)}px`;
  }

  #menus() {
    const { playback } = this;
    this.#menu("texts", () => this.#textItems());
    playback.addEventListener("texts", () => {
      const chosen = playback.texts.find(({ index }) => index === playback.chosenText);
      element("texts-holder").hidden = playback.texts.length === 0;
      element("texts-label").textContent = chosen ? textName(chosen.track) : "Off";
    });
    this.#menu("quality", () => this.#qualityItems());
    this.#menu("audio", () => playback.audioTracks.map((track, index) => ({
      words: trackName(track, index), note: track.lang ?? "", checked: index === playback.audioTrack,
      choose: () => playback.chooseAudio(index) })));
    const labels = () => {
      const level = playback.levels[playback.automatic ? playback.level : playback.chosenLevel];
      const height = level ? `${level.height}p` : "";
      element("quality-label").textContent = playback.automatic ? `Auto${height && ` · ${height}`}` : height;
      element("audio-label").textContent = playback.audioTracks.length > 0 ? trackName(playback.audioTracks[Math.max(0, playback.audioTrack)], 0) : "";
    };
    for (const name of ["levels", "level", "tracks"]) playback.addEventListener(name, labels);
    document.addEventListener("click", (event) => {
      if (!event.target.closest(".menu-holder")) this.#closeMenus();
    });
  }

  #qualityItems() {
    const { playback } = this;
    const levels = playback.levels.map((level, index) => ({
      words: `${level.height}p`, note: bitRate(level.bitrate).join(" "), checked: !playback.automatic && index === playback.chosenLevel,
      choose: () => playback.chooseLevel(index) }));
    return [{ words: "Auto", note: "follows your line", checked: playback.automatic, choose: () => playback.chooseLevel(-1) }, ...levels.reverse()];
  }

  #textItems() {
    const { playback } = this;
    const texts = playback.texts.map(({ track, index }) => ({
      words: textName(track), note: track.lang ?? "", checked: index === playback.chosenText, choose: () => playback.chooseText(index) }));
    return [{ words: "Off", note: "", checked: playback.chosenText < 0, choose: () => playback.chooseText(-1) }, ...texts];
  }

  #menu(name, items) {
    const button = element(name);
    const menu = element(`${name}-menu`);
    button.addEventListener("click", () => {
      const open = menu.hidden;
      this.#closeMenus();
      if (!open) return;
      menu.replaceChildren(...items().map(({ words, note, checked, choose }) => {
        const item = document.createElement("button");
        item.type = "button";
        item.setAttribute("role", "menuitemradio");
        item.setAttribute("aria-checked", String(checked));
        for (const text of [words, note]) item.append(Object.assign(document.createElement("span"), { textContent: text }));
        item.addEventListener("click", () => {
          choose();
          this.#closeMenus();
          button.focus({ preventScroll: true });
        });
        return item;
      }));
      menu.hidden = false;
      button.setAttribute("aria-expanded", "true");
      menu.querySelector("button")?.focus({ preventScroll: true });
    });
  }

  #closeMenus() {
    for (const name of ["quality", "audio", "texts"]) {
      element(`${name}-menu`).hidden = true;
      element(name).setAttribute("aria-expanded", "false");
    }
  }

  #idle() {
    for (const name of ["pointermove", "pointerdown", "keydown", "focusin"]) this.stage.addEventListener(name, () => this.#wake());
    this.#wake();
  }

  // The bar leaves after a while of playing without a hand on it.
  #wake() {
    this.stage.classList.remove("idle");
    clearTimeout(this.idleTimer);
    this.idleTimer = setTimeout(() => {
      const busy = this.video.paused || document.querySelector(".menu:not([hidden])") || element("seek").classList.contains("held");
      this.stage.classList.toggle("idle", !busy);
    }, idleAfterMs);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      this.#closeMenus();
      element("keys").hidden = true;
      return;
    }
    const focused = document.activeElement;
    const onButton = focused?.tagName === "BUTTON";
    if (onButton && [" ", "Enter"].includes(event.key)) return;
    const menu = focused?.closest?.(".menu");
    if (menu && ["ArrowUp", "ArrowDown"].includes(event.key)) {
      const next = event.key === "ArrowDown" ? focused.nextElementSibling ?? menu.firstElementChild : focused.previousElementSibling ?? menu.lastElementChild;
      next.focus({ preventScroll: true });
      event.preventDefault();
      return;
    }
    if (focused?.id === "volume" && event.key.startsWith("Arrow")) return;
    const action = this.#actionOf(event.key.length === 1 ? event.key.toLowerCase() : event.key);
    if (!action) return;
    event.preventDefault();
    action();
    this.#wake();
  }

  #actionOf(key) {
    if (/^[0-9]$/.test(key)) return () => this.seekTo((this.video.duration * Number(key)) / 10);
    return {
      " ": () => this.toggle(), k: () => this.toggle(),
      ArrowLeft: () => this.seekBy(-5), ArrowRight: () => this.seekBy(5), j: () => this.seekBy(-10), l: () => this.seekBy(10),
      ArrowUp: () => this.volumeBy(0.1), ArrowDown: () => this.volumeBy(-0.1),
      m: () => this.sound(this.video.muted), f: () => this.fullScreen(), i: () => this.panel(),
      q: () => element("quality").click(), a: () => element("audio").click(),
      s: () => element("texts").click(),
      "?": () => { element("keys").hidden = !element("keys").hidden; },
    }[key];
  }
}
