// What the viewer got, measured at the video element. window.reelway shows it to whoever asks, the demo's check too.
//
//   startup_ms      from the load call to the first "playing"
//   played_s        seconds of the film that were played
//   stalls          times that playing stopped for want of data: not at the start, not after a seek or a change of
//                   quality that the viewer asked for, not at the end
//   levels          heights of the pictures actually decoded
//   decoded_frames, dropped_frames   as the browser counts them
//   errors          every fault that was reported, in words

const errorsMax = 50;

export class Measure {
  constructor(video) {
    this.video = video;
    this.heights = new Set();
    this.errors = [];
    this.reset();
    this.#listen();
  }

  reset() {
    this.loadAt = performance.now();
    this.startup_ms = null;
    this.stalls = 0;
    this.excused = true;
    this.heights.clear();
  }

  // The viewer asked for something that may interrupt playing: the next wait is no stall.
  excuse() { this.excused = true; }

  fault(words) {
    if (this.errors.length < errorsMax) this.errors.push(words);
  }

  #listen() {
    const { video } = this;
    video.addEventListener("playing", () => {
      this.startup_ms ??= Math.round(performance.now() - this.loadAt);
      this.excused = false;
    });
    video.addEventListener("seeking", () => this.excuse());
    video.addEventListener("waiting", () => {
      const atEnd = video.ended || video.duration - video.currentTime < 0.25;
      if (!this.excused && !atEnd && !video.seeking) this.stalls += 1;
    });
    video.addEventListener("error", () => {
      if (video.error) this.fault(`video element: code ${video.error.code} ${video.error.message}`);
    });
    window.addEventListener("error", (event) => this.fault(`script: ${event.message}`));
    window.addEventListener("unhandledrejection", (event) => this.fault(`script: ${event.reason}`));
    this.#watchPictures();
  }

  // Each presented picture carries its size; browsers without the callback report changes through "resize".
  #watchPictures() {
    const { video } = this;
    if (!video.requestVideoFrameCallback) {
      video.addEventListener("resize", () => video.videoHeight && this.heights.add(video.videoHeight));
      return;
    }
    const next = (_now, picture) => {
      this.heights.add(picture.height);
      video.requestVideoFrameCallback(next);
    };
    video.requestVideoFrameCallback(next);
  }

  get played_s() {
    let total = 0;
    const { played } = this.video;
    for (let i = 0; i < played.length; ++i) total += played.end(i) - played.start(i);
    return total;
  }

  snapshot() {
    const { video } = this;
    const pictures = video.getVideoPlaybackQuality();
    return {
      playing: this.startup_ms !== null && !video.error && (video.ended || !video.paused),
      ended: video.ended,
      startup_ms: this.startup_ms,
      played_s: Math.round(this.played_s * 1000) / 1000,
      stalls: this.stalls,
      levels: [...this.heights].sort((a, b) => a - b),
      decoded_frames: pictures.totalVideoFrames,
      dropped_frames: pictures.droppedVideoFrames,
      errors: [...this.errors],
    };
  }
}
