// Measures Reelway beside nginx on the same bytes, in the same run, per CPU-second of the server. The server is pinned
// to one core and the client to another; rounds are interleaved. What nginx has nothing to be compared with for (how
// fast a revoked rental ends, what a flood of junk tokens costs) is measured only when it is named. See tools/bench/.

import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { spawnSync } from "node:child_process";
import { handedOver, hitRows } from "./bench/edge.mjs";
import { diskHits, fills } from "./bench/edge_disk.mjs";
import { drips } from "./bench/edge_drip.mjs";
import { fairness } from "./bench/edge_fairness.mjs";
import { idleMemory } from "./bench/edge_idle.mjs";
import { cores, groups } from "./bench/groups.mjs";
import { measureJunk } from "./bench/junk.mjs";
import { measureGroup, rowOf } from "./bench/measure.mjs";
import { measureRevoke } from "./bench/revoke.mjs";
import { measurePackager } from "./bench/packager.mjs";
import { measurePerTitle } from "./bench/per_title.mjs";
import { measureTranscode } from "./bench/transcode.mjs";

// Without a peer, not in the rounds of the groups; each gives its rows.
const measurements = { revoke: measureRevoke, junk: measureJunk, transcode: measureTranscode, "per-title": measurePerTitle, packager: measurePackager };
// The edge beside the best caches; "edge" is all of them.
const edgeRows = { ...hitRows, disk: diskHits, fill: fills, drip: drips, fairness, idle: idleMemory, rings: handedOver };
const edgeName = (row) => `edge-${row}`;
const names = [...Object.keys(groups), ...Object.keys(measurements), "edge", ...Object.keys(edgeRows).map(edgeName)];

const usage = `node tools/bench.mjs --bin DIR [NAME ...] [--quick] [--json] [--rounds N] [--seconds S]

  NAME      what to measure, of: ${Object.keys(groups).join(", ")} (all of them by default),
            and, only when named: revoke (how fast a revoked rental ends at the edges),
            junk (500 sessions beside 20,000 junk tokens a second), transcode (a whole ingest job beside one plain ffmpeg),
            per-title (bit rates chosen for a film beside the table's, and SSIM of both; REELWAY_BENCH_FILMS=FILE:FILE),
            packager (each packaging of a film beside nginx with the same bytes as static files; playlists, memory, a cold title),
            edge (the edge beside nginx, HAProxy, Traffic Server and
            Varnish in every row: ${Object.keys(edgeRows).map(edgeName).join(", ")}, each of which may be named alone)
  --bin     the folder of the built programs (build/release/bin)
  --quick   one round of one second each, and a shorter film
  --rounds  interleaved rounds (default 5, junk 3, quick 1)
  --seconds length of one measurement (default 2, edge 4, junk 10, quick 1)
  --json    the last line of standard output is an array of the rows

limited_by says "client" when the client's core was at least 95 % busy or the server's core less than 85 %: the
server was then not loaded to its end, and only its cost per request or byte is told. A row of "edge" has a ratio only if the
server's core was at least 95 % busy, but for those that wait for a disk.`;

const say = (text) => process.stderr.write(`${text}\n`);

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      bin: { type: "string" }, json: { type: "boolean" }, quick: { type: "boolean" }, help: { type: "boolean", short: "h" },
      rounds: { type: "string" }, seconds: { type: "string" } } });
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  const unknown = positionals.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new Error(`no such measurement: ${unknown.join(", ")}; there are ${names.join(", ")}`);
  if (!values.bin) throw new Error("--bin is missing: the folder of the built programs");
  const positive = (name) => {
    if (values[name] === undefined) return null;  // as each measurement has it
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} must be a whole number of at least 1`);
    return value;
  };
  return {
    ...values, names: positionals.length > 0 ? positionals : Object.keys(groups),
    rounds: positive("rounds"), seconds: positive("seconds") };
}

function checkMachine() {
  if (availableParallelism() < 2) throw new Error("two cores are needed: one for the server, one for the client");
  for (const command of ["taskset", "wrk"]) {
    if (spawnSync(command, ["--version"]).error) throw new Error(`${command} is not installed; ./dev setup installs what is missing`);
  }
}

async function runGroup(name, context, options) {
  const rounds = options.rounds ?? (options.quick ? 1 : 5);
  const seconds = options.seconds ?? (options.quick ? 1 : 2);
  const group = await groups[name](context);
  say(`${name}: ${group.work}; ${rounds} rounds of ${seconds} s on cores ${cores.serverCore} (server) and ${cores.clientCore} (client)`);
  const taken = await measureGroup(group, { rounds, seconds, warmUpSeconds: 1, say });
  return group.subjects.slice(1).map((peer, index) => rowOf({ work: group.work, unit: group.unit, peer: peer.name }, taken[0], taken[index + 1]));
}

function runEdgeRow(name, context, options) {
  const rounds = options.rounds ?? (options.quick ? 1 : 5);
  const seconds = options.seconds ?? (options.quick ? 1 : 4);
  return edgeRows[name.replace(/^edge-/, "")]({ ...context, plan: { rounds, seconds, warmUpSeconds: 1, say } });
}

// Runs one measurement in a folder of its own; whatever it has started ends with it.
function runNamed(name, options, cleanups) {
  const state = mkdtempSync(join(tmpdir(), `reelway-bench-${name}-`));
  cleanups.push(() => rmSync(state, { recursive: true, force: true }));
  say(`${name}: starting the servers`);
  const context = { bin: options.bin, state, quick: options.quick, rounds: options.rounds, seconds: options.seconds, say, cleanup: (stop) => cleanups.push(stop) };
  if (name.startsWith("edge-")) return runEdgeRow(name, context, options);
  return name in groups ? runGroup(name, context, options) : measurements[name](context);
}

async function cleanUp(cleanups) {
  while (cleanups.length > 0) await cleanups.pop()();
}

function printTable(rows) {
  const columns = rows.some((row) => "work" in row)
    ? ["work", "unit", "ours", "peer", "peer_figure", "ratio", "range", "goal", "rounds", "limited_by"]
    : Object.keys(rows[0] ?? {});
  const cell = (row, column) => (row[column] === null || row[column] === undefined ? "-" : [row[column]].flat().join(" to "));
  const widths = columns.map((column) => Math.max(column.length, ...rows.map((row) => cell(row, column).length)));
  const line = (cells) => console.log(cells.map((text, index) => text.padEnd(widths[index])).join("  ").trimEnd());
  line(columns);
  for (const row of rows) line(columns.map((column) => cell(row, column)));
}

async function main() {
  const options = readArguments();
  checkMachine();
  const cleanups = [];
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => cleanUp(cleanups).finally(() => process.exit(1)));
  }
  const rows = [];
  try {
    for (const name of options.names.flatMap((each) => (each === "edge" ? Object.keys(edgeRows).map(edgeName) : [each]))) {
      rows.push(...await runNamed(name, options, cleanups));
      await cleanUp(cleanups);
    }
  } finally {
    await cleanUp(cleanups);
  }
  // Measurements without a peer may have columns of their own.
  for (const some of [rows.filter((row) => "work" in row), rows.filter((row) => !("work" in row))]) {
    if (some.length > 0) printTable(some);
  }
  if (options.json) console.log(JSON.stringify(rows));
}

main().then(() => process.exit(0), (error) => {
  say(`bench: ${error.message}`);
  process.exit(1);
});
