// A film for whoever has none: drifting colours, a burnt-in time code, a bell each second. FFmpeg makes it in seconds.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";

const seconds = 24;
const rate = 30;
const fonts = ["/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf", "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"];

function text(font, size, colour, x, y, what) {
  return `drawtext=fontfile=${font}:fontsize=${size}:fontcolor=${colour}:x=${x}:y=${y}:${what}`;
}

function picture(font) {
  return [
    // Soft colours need few dots: they are made small and drawn large, which takes a fraction of the time.
    `gradients=s=320x180:r=${rate}:d=${seconds}:n=4:c0=0x0c1430:c1=0x6d2f4a:c2=0xd98a4a:c3=0x14545f:x0=20:y0=10:x1=300:y1=170:seed=7:speed=0.02`,
    "vignette=PI/4.5", "scale=1280:720:flags=bicubic", "format=yuv420p",
    text(font, 92, "white@0.95", "(w-text_w)/2+40*sin(t*0.7)", "h*0.32+18*sin(t*1.1)", "text=reelway:shadowcolor=black@0.35:shadowx=4:shadowy=5"),
    text(font, 46, "white", "(w-text_w)/2", "h*0.60", `timecode='00\\:00\\:00\\:00':rate=${rate}:box=1:boxcolor=black@0.45:boxborderw=18`),
    text(font, 22, "white@0.7", "(w-text_w)/2", "h*0.72", "text='frame %{n}'"),
  ].join(",");
}

// A bell on each second: the notes of a chord in turn, each dying away before the next.
function sound() {
  const note = "if(eq(mod(floor(t)\\,4)\\,0)\\,220\\,if(eq(mod(floor(t)\\,4)\\,1)\\,277.18\\,if(eq(mod(floor(t)\\,4)\\,2)\\,329.63\\,440)))";
  const bell = (gain) => `${gain}*exp(-3*mod(t\\,1))*(sin(2*PI*${note}*t)+0.3*sin(4*PI*${note}*t))`;
  return `aevalsrc=${bell(0.28)}|${bell(0.24)}:s=48000:d=${seconds}`;
}

export async function makeDemoFilm(file) {
  const font = fonts.find((candidate) => existsSync(candidate));
  if (!font) throw new Error("the font that the time code is drawn with is missing; install it with: apt-get install fonts-dejavu-core");
  const child = spawn("ffmpeg", [
    "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", picture(font), "-f", "lavfi", "-i", sound(),
    "-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "128k",
    "-metadata:s:a:0", "language=eng", "-movflags", "+faststart", "-t", String(seconds), file,
  ], { stdio: ["ignore", "ignore", "pipe"] });
  let words = "";
  child.stderr.on("data", (piece) => { words = (words + piece).slice(-4000); });
  const code = await new Promise((resolve, reject) => child.once("error", reject).once("close", resolve));
  if (code !== 0) throw new Error(`ffmpeg could not make the demo's film (exit ${code}):\n${words}`);
  return file;
}
