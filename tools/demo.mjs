// The demo: one origin, two edges, a film that goes in and is rented by the operator's commands, and a page that plays
// it and shows what happens when the rental is taken back.
// Called by ./dev demo after the build.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { basename, dirname, extname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { checkPage, playEnoughS } from "./browser_check.mjs";
import { Cluster } from "./cluster.mjs";
import { makeDemoFilm } from "./demo_film.mjs";
import { servePage } from "./page_server.mjs";
import { buildPage } from "../players/web/build.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const webFolder = join(root, "players/web");
const usage = `node tools/demo.mjs --bin FOLDER [--film FILE] [--check] [--state FOLDER] [--keep]

  --bin FOLDER    where the built programs are, such as build/dev/bin
  --film FILE     the film to play; without it one is made
  --check         play it in headless Chromium, print what a viewer saw as one line of JSON, and end
  --state FOLDER  where the servers keep everything (default: build/demo/state, emptied at the start)
  --keep          do not empty that folder: titles of an earlier run are still there`;

const styled = (code, words) => (process.stdout.isTTY ? `\x1b[${code}m${words}\x1b[0m` : words);
const bold = (words) => styled(1, words);
const dim = (words) => styled(2, words);
const say = (words = "") => process.stdout.write(`${words}\n`);

function readArguments() {
  const { values } = parseArgs({ options: {
    bin: { type: "string" }, film: { type: "string" }, check: { type: "boolean", default: false },
    state: { type: "string", default: join(root, "build/demo/state") }, keep: { type: "boolean", default: false }, help: { type: "boolean", short: "h" } } });
  if (values.help) {
    say(usage);
    process.exit(0);
  }
  if (!values.bin) throw new Error("--bin is required");
  for (const name of ["bin", "state"]) values[name] = resolve(values[name]);
  if (values.film) {
    values.film = resolve(values.film);
    if (!existsSync(values.film)) throw new Error(`there is no film at ${values.film}`);
  }
  return values;
}

// Runs the operator's command with what it prints on our standard output, progress included.
async function operatorSays(cluster, args) {
  say(dim(`$ reelway ${args.map((word) => (/\s/.test(word) ? `"${word}"` : word)).join(" ")}`));
  const child = spawn(join(cluster.bin, "reelway"), args, {
    stdio: ["ignore", "inherit", process.stdout], env: { ...process.env, REELWAY_CONFIG: cluster.cliConfig } });
  const code = await new Promise((done, failed) => child.once("error", failed).once("close", done));
  if (code !== 0) throw new Error(`reelway ${args[0]} ended with exit code ${code}`);
}

const titleOf = (film) => basename(film, extname(film)).toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 63) || "film";
const nameOf = (film) => basename(film, extname(film)).replace(/[_-]+/g, " ").replace(/^./, (c) => c.toUpperCase());

const account = "demo@example.org";
let rentals = 0;

// The demo's shop: rents the film to the demo account, and asks for a playback as a platform's backend does.
async function rent(cluster, title) {
  const ordered = await cluster.api("POST", "/v1/orders", { account, title, kind: "rent", idempotency_key: `demo-${process.pid}-${++rentals}` });
  // With --keep the account may hold it from an earlier run.
  if (ordered.status !== 201 && ordered.body?.error?.code !== "already_entitled") throw new Error(`the order was refused: ${JSON.stringify(ordered.body)}`);
  const playback = await cluster.api("POST", "/v1/playback", { account, title, device: "web page" });
  if (playback.status !== 200) throw new Error(`the playback was refused: ${JSON.stringify(playback.body)}`);
  return playback.body;
}

async function revoke(cluster, playback) {
  const answer = await cluster.api("POST", `/v1/entitlements/${playback.entitlement}/revoke`, { reason: "taken back in the demo" });
  if (answer.status !== 200) throw new Error(`the revocation was refused: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

const pageQuery = (play, name) => new URLSearchParams({
  src: play.master_url, title: name, heartbeat: play.heartbeat_url, every: play.heartbeat_s, until: play.view_until_s ?? 0, shop: 1 }).toString();

// A film that is there from an earlier run with --keep becomes its next version.
async function bringIn(cluster, film) {
  const title = titleOf(film);
  const there = cluster.cli("titles").titles.some((entry) => entry.title === title && entry.state === "published");
  await operatorSays(cluster, ["ingest", film, "--title", title, "--name", nameOf(film), ...(there ? ["--new-version"] : [])]);
  return { title, name: nameOf(film) };
}

function box(rows) {
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, value] of rows) say(name === "" && value === "" ? "" : `  ${dim(name.padEnd(width))}  ${value}`);
}

function showAddresses(cluster, page, title, play, options) {
  const here = (path) => [relative(process.cwd(), path) || ".", path].sort((a, b) => a.length - b.length)[0];
  const path = new URL(play.master_url).pathname;
  say(`\n${bold("Reelway plays")}  ${styled("1;36", page)}\n`);
  box([
    ...cluster.edges.map((edge) => [`film at ${edge.name}`, `http://${edge.ready.public}${path}`]),
    ["", ""],
    ["origin API", `http://${cluster.ports.api}`],
    ["origin media", `http://${cluster.ports.media}  (edges only)`],
    ...cluster.edges.map((edge) => [`${edge.name} admin`, `http://${edge.ready.admin}/metrics`]),
    ["", ""],
    ["credentials", `${here(cluster.secretFile("api"))} (API), ${here(cluster.secretFile("admin"))} (edges' admin ports)`],
    ["logs", here(join(options.state, "*.log"))],
    ["", ""],
    ["try", `export REELWAY_CONFIG=${here(cluster.cliConfig)} PATH=${here(options.bin)}:$PATH`],
    ["", "reelway titles"],
    ["", `reelway entitlements ${account}`],
    ["", "reelway edges"],
    ["", `reelway explain "$(reelway play ${account} ${title})"`],
    ["", `ffplay "$(reelway play ${account} ${title})"`],
    ["", `curl -H "Authorization: Bearer $(cat ${here(cluster.secretFile("admin"))})" http://${cluster.edges[0].ready.admin}/v1/state`],
  ]);
}

function showProgress(stats) {
  if (!process.stdout.isTTY || !stats) return;
  process.stdout.write(`\r\x1b[K  played ${stats.played_s.toFixed(1)} of ${playEnoughS} s, ${stats.levels.map((h) => `${h}p`).join(" ")}`);
}

// What makes the check fail, in words; empty when all is well.
function faultsOf(seen) {
  const faults = [...seen.errors];
  if (seen.startup_ms === null) faults.push("the film never began to play");
  else if (seen.played_s < playEnoughS && !seen.ended) faults.push(`only ${seen.played_s} s were played`);
  if (seen.decoded_frames === 0) faults.push("no frame was decoded");
  return faults;
}

// After the film has played, the rental is taken back in the page, and the page must say so.
function faultsOfRevoking(revoked) {
  return revoked.shown === "entitlement_revoked" ? [] : [`after the rental was taken back the page showed: ${revoked.shown ?? "nothing"}`];
}

async function check(page, play) {
  say(`\n${bold("Playing in headless Chromium")} until ${playEnoughS} s are played`);
  const screenshot = join(root, "build/demo/screenshot.png");
  mkdirSync(dirname(screenshot), { recursive: true });
  const seen = await checkPage({ pageUrl: page, masterUrl: play.master_url, webFolder, screenshot, tell: showProgress });
  if (process.stdout.isTTY) say();
  const faults = [...faultsOf(seen), ...faultsOfRevoking(seen.revoked)];
  if (faults.length === 0) {
    say(`  it plays: start after ${seen.startup_ms} ms, ${seen.stalls} stalls, ${seen.levels.map((h) => `${h}p`).join(" and ")}`);
    say(`  the rental is taken back: the page says ${seen.revoked.shown} after ${seen.revoked.after_ms} ms`);
  }
  return { seen, faults };
}

// Resolves at the first Ctrl-C or SIGTERM; a second one ends the process at once.
const interruption = new Promise((done) => { for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, done); });
const interrupted = Symbol("interrupted");

function serverDied(cluster) {
  const died = Promise.race([cluster.origin, ...cluster.edges].map((server) => server.exited.then(({ code, signal }) => {
    throw new Error(`${server.name} ended by itself with ${signal ?? `exit code ${code}`}`);
  })));
  died.catch(() => {});  // at the end they all do
  return died;
}

function showLogs(cluster) {
  for (const server of [cluster.origin, ...cluster.edges].filter(Boolean)) say(`\n--- last lines of ${server.logFile}\n${server.logTail()}`);
}

async function run(options, cluster, cleanup) {
  say(bold("Starting one origin and two edges"));
  await cluster.start();
  const film = options.film ?? join(options.state, "reelway-demo.mp4");
  if (!options.film) {
    say(bold("Making a film"));
    await makeDemoFilm(film);
  }
  say(`\n${bold("Bringing the film in")}`);
  const { title, name } = await bringIn(cluster, film);
  await operatorSays(cluster, ["rent", account, title]);
  let play = await rent(cluster, title);
  const server = await servePage(buildPage(), { actions: {
    "/shop/revoke": () => revoke(cluster, play),
    "/shop/rent": async () => {
      play = await rent(cluster, title);
      return { page: `?${pageQuery(play, name)}` };
    },
  } });
  cleanup.push(() => server.close());
  const page = `${server.url}?${pageQuery(play, name)}`;
  showAddresses(cluster, page, title, play, options);
  if (options.check) return check(page, play);
  say(`\n${dim("Ctrl-C ends it.")}`);
  await Promise.race([interruption, serverDied(cluster)]);
  return null;
}

async function main() {
  const options = readArguments();
  if (!options.keep) rmSync(options.state, { recursive: true, force: true });
  const cluster = new Cluster({ bin: options.bin, state: options.state });
  const cleanup = [() => cluster.stop()];
  let outcome = null;
  let failure = null;
  try {
    const running = run(options, cluster, cleanup);
    running.catch(() => {});
    outcome = await Promise.race([running, interruption.then(() => interrupted)]);
    if (outcome === interrupted) outcome = null;
    if (outcome?.faults.length > 0) failure = new Error(outcome.faults.join("\n  "));
  } catch (error) {
    failure = error;
  }
  if (failure) {
    say(`\n${styled("1;31", "The demo failed:")} ${failure.message}`);
    showLogs(cluster);
  }
  say(dim("\nStopping"));
  for (const step of cleanup.reverse()) await step().catch((error) => say(`stopping: ${error.message}`));
  if (outcome) say(JSON.stringify(outcome.seen));
  return failure ? 1 : 0;
}

main().then((code) => process.exit(code), (error) => {
  process.stderr.write(`demo: ${error.message}\n\n${usage}\n`);
  process.exit(2);
});
