// Figures as people read them.

export function clock(seconds) {
  if (!Number.isFinite(seconds)) return "–:––";
  // Film lengths are sums of frames, which may fall short of the second by a hair.
  const whole = Math.max(0, Math.floor(seconds + 0.02));
  const two = (n) => String(n).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  return minutes >= 60 ? `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

function scaled(value, units) {
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return [value >= 100 || unit === 0 ? value.toFixed(0) : value.toFixed(1), units[unit]];
}

export const bitRate = (bits) => scaled(bits, ["bit/s", "kbit/s", "Mbit/s", "Gbit/s"]);
export const size = (bytes) => scaled(bytes, ["B", "kB", "MB", "GB"]);

// RFC 9211: `edge-1; hit; detail=memory` -> {edge, kind: "hit" | "miss" | "none", words}.
export function cacheStatus(header) {
  if (!header) return { edge: "", kind: "none", words: "not said" };
  // Several caches may have added to it; the last is the one nearest to us.
  const [edge, ...parameters] = header.split(",").at(-1).split(";").map((part) => part.trim());
  const has = (name) => parameters.includes(name);
  const value = (name) => parameters.find((part) => part.startsWith(`${name}=`))?.slice(name.length + 1).replaceAll('"', "");
  if (has("hit")) return { edge, kind: "hit", words: value("detail") ?? "hit" };
  return { edge, kind: "miss", words: has("collapsed") ? "joined" : value("fwd") ?? "miss" };
}
