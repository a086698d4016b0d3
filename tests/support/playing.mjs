// What a player asks for, without a browser: playlists taken apart, segments fetched.

import { createHash } from "node:crypto";

export async function get(url, options) {
  const answer = await fetch(url, options);
  const body = Buffer.from(await answer.arrayBuffer());
  return { status: answer.status, headers: answer.headers, body, error: answer.headers.get("reelway-error"), cache: answer.headers.get("cache-status") };
}

export const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

// Every object of a presentation: absolute URLs of the playlists, init segments and media segments.
export async function objectsOf(masterUrl) {
  const objects = [masterUrl];
  const master = (await get(masterUrl)).body.toString();
  const playlists = [...master.matchAll(/^(?!#)(\S+)$|URI="([^"]+)"/gm)].map((match) => new URL(match[1] ?? match[2], masterUrl).href);
  for (const playlist of new Set(playlists)) {
    objects.push(playlist);
    const text = (await get(playlist)).body.toString();
    for (const match of text.matchAll(/^(?!#)(\S+)$|URI="([^"]+)"/gm)) objects.push(new URL(match[1] ?? match[2], playlist).href);
  }
  return objects;
}

// Repeats `attempt` until it returns something true: for states that arrive by polling (an edge learning of a key).
export async function until(what, attempt, limitMs = 20_000) {
  for (const end = Date.now() + limitMs; ;) {
    const value = await attempt();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${limitMs} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
