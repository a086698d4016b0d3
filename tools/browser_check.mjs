// Plays the page in headless Chromium with a new, empty profile, and says what a viewer would have seen.

import { createRequire } from "node:module";
import { existsSync } from "node:fs";
import { join } from "node:path";

const chromiumPaths = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
export const chromiumFlags = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required", "--hide-scrollbars",
];

// Where it is, or undefined.
export const chromiumPath = () => process.env.REELWAY_CHROMIUM ?? chromiumPaths.find((path) => existsSync(path));

export const playEnoughS = 12;
const pictureAtS = 8;
const limitMs = 60_000;
const pollMs = 200;
const revokedLimitMs = 20_000;

// Requests that a player gives up by itself are no faults; what the server or the line did is.
function watch(page, errors) {
  page.on("pageerror", (error) => errors.add(`page: ${error.message}`));
  page.on("console", (message) => { if (message.type() === "error") errors.add(`console: ${message.text()}`); });
  page.on("requestfailed", (request) => {
    const reason = request.failure()?.errorText ?? "";
    if (reason !== "net::ERR_ABORTED") errors.add(`request: ${reason} ${new URL(request.url()).pathname.split("/").slice(-3).join("/")}`);
  });
}

// One look into the page: its figures, and whether it shows the viewer a fault.
const look = (page) => page.evaluate(() => ({
  stats: window.reelway?.stats ?? null, troubled: document.querySelector("#trouble:not([hidden])") !== null }));

// Plays on until `enoughS` seconds are played, the film has ended, a fault is shown, or the time is up.
async function playUntil(page, enoughS, end, tell) {
  for (;;) {
    const { stats, troubled } = await look(page);
    tell?.(stats);
    if (troubled || (stats && (stats.played_s >= enoughS || stats.ended)) || Date.now() > end) return;
    await page.waitForTimeout(pollMs);
  }
}

// With the bar in view, as when a hand is on it.
async function takePicture(page, path) {
  const stage = await page.locator("#stage").boundingBox();
  if (stage) await page.mouse.move(stage.x + stage.width / 2, stage.y + stage.height * 0.8);
  await page.screenshot({ path });
}

// Takes the rental back by the page's own button, and waits for what the page then says.
async function takeBack(page, screenshot) {
  const button = page.locator("#rental-revoke:not([hidden])");
  if ((await button.count()) === 0) return { shown: null, after_ms: null };
  const began = Date.now();
  await button.click();
  const card = page.locator("#trouble:not([hidden]) #trouble-code");
  await card.waitFor({ timeout: revokedLimitMs }).catch(() => {});
  const after_ms = Date.now() - began;
  await takePicture(page, screenshot);
  return { shown: (await card.count()) > 0 ? await card.innerText() : null, after_ms, screenshot };
}

// -> {playing, startup_ms, played_s, stalls, levels, decoded_frames, errors, master_url, screenshot, ended, ...}
export async function checkPage({ pageUrl, masterUrl, webFolder, screenshot, tell, viewport = { width: 1440, height: 900 } }) {
  const { chromium } = createRequire(join(webFolder, "package.json"))("playwright-core");
  const executablePath = chromiumPath();
  if (!executablePath) throw new Error("no Chromium: install it with: apt-get install chromium");
  const browser = await chromium.launch({ executablePath, headless: true, args: chromiumFlags });
  try {
    const page = await (await browser.newContext({ viewport, colorScheme: "dark" })).newPage();
    const errors = new Set();
    watch(page, errors);
    await page.goto(pageUrl);
    const end = Date.now() + limitMs;
    await playUntil(page, pictureAtS, end, tell);
    await takePicture(page, screenshot);
    await playUntil(page, playEnoughS, end, tell);
    const stats = (await look(page)).stats ?? {};
    for (const fault of stats.errors ?? []) errors.add(fault);
    const words = await page.locator("#trouble:not([hidden]) .trouble-card").allInnerTexts();
    for (const text of words) errors.add(`shown: ${text.replace(/\s+/g, " ")}`);
    const faults = [...errors];  // what comes after the rental's end is meant to
    const revoked = await takeBack(page, screenshot.replace(/(\.\w+)$/, "-revoked$1"));
    return {
      playing: stats.playing ?? false, startup_ms: stats.startup_ms ?? null, played_s: stats.played_s ?? 0,
      stalls: stats.stalls ?? 0, levels: stats.levels ?? [], decoded_frames: stats.decoded_frames ?? 0,
      dropped_frames: stats.dropped_frames ?? 0, ended: stats.ended ?? false, errors: faults, revoked, master_url: masterUrl, screenshot,
    };
  } finally {
    await browser.close();
  }
}
