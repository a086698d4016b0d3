// The light that the picture throws into the room: the film at 32 by 18 dots, a few times a second, blurred by CSS.

const intervalMs = 400;

export function startGlow(video, canvas) {
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const paint = canvas.getContext("2d", { alpha: false });
  setInterval(() => {
    if (still.matches || document.hidden || video.readyState < 2 || video.paused) return;
    paint.globalAlpha = 0.35;
    paint.drawImage(video, 0, 0, canvas.width, canvas.height);
  }, intervalMs);
}
