// The public suite http-cache-tests against a real edge that is a general shared cache in front of the suite's origin.
//
//   node run.mjs [--bin FOLDER] [--suite CHECKOUT] [--base URL] [--only ID[,ID...]] [--json] [--all]
//
// Without --suite the release from npm is run. --base asks a cache that runs already, or an origin, instead of an edge.
// Ends with 0 when the required and optional tests that fail are those of known.json, and only those.

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Cluster } from "../../tools/cluster.mjs";
import { Suite, kindOf, verdict } from "./suite.mjs";

const together = 40;

const { values: options } = parseArgs({
  options: {
    bin: { type: "string", default: process.env.REELWAY_BIN },
    suite: { type: "string", default: process.env.REELWAY_CACHE_SUITE },
    base: { type: "string" },
    only: { type: "string" },
    json: { type: "boolean", default: false },
    all: { type: "boolean", default: false },
  },
});
const say = (text) => process.stderr.write(`${text}\n`);
const work = mkdtempSync(join(tmpdir(), "reelway-cache-tests-"));
// Tests that fail, each with its reason: of every version of the suite, and of one only.
const reasons = JSON.parse(readFileSync(new URL("known.json", import.meta.url)));
let known = {};

async function startOrigin(folder) {
  const child = spawn(process.execPath, [new URL("origin.mjs", import.meta.url).pathname, folder ?? "", join(work, "origin")],
                      { stdio: ["ignore", "pipe", "ignore"] });
  const port = await new Promise((resolve, reject) => {
    child.stdout.once("data", (text) => resolve(Number(text)));
    child.once("exit", (code) => reject(new Error(`the suite's origin ended with ${code}`)));
  });
  return { child, url: `http://127.0.0.1:${port}` };
}

function selected(groups) {
  if (!options.only) return groups;
  const ids = options.only.split(",");
  return groups.map((group) => ({ ...group, tests: group.tests.filter((test) => ids.includes(test.id) || ids.includes(group.id)) }))
    .filter((group) => group.tests.length > 0);
}

// Per group and in all: how many of each kind there are and pass.
function counted(groups, byId, results) {
  const none = () => ({ required: [0, 0], optimal: [0, 0], check: [0, 0] });
  const total = none();
  const rows = groups.map((group) => {
    const row = none();
    for (const test of group.tests) {
      const passed = verdict(byId, results, test.id) === "pass" ? 1 : 0;
      for (const counts of [row, total]) {
        counts[kindOf(test)][0] += passed;
        counts[kindOf(test)][1] += 1;
      }
    }
    return { id: group.id, ...row };
  });
  return { rows, total };
}

function printTable({ rows, total }) {
  const cell = ([passed, all]) => (all ? `${passed}/${all}` : "").padStart(11);
  console.log(`${"".padEnd(20)}${"required".padStart(11)}${"optimal".padStart(11)}${"checks: yes".padStart(13)}`);
  for (const row of [...rows, { id: "all", ...total }]) {
    console.log(`${row.id.padEnd(20)}${cell(row.required)}${cell(row.optimal)}  ${cell(row.check)}`);
  }
}

function failuresOf(groups, byId, results) {
  const failures = [];
  for (const test of groups.flatMap((group) => group.tests)) {
    const outcome = verdict(byId, results, test.id);
    if (outcome === "pass" || (kindOf(test) === "check" && !options.all)) continue;
    const message = Array.isArray(results[test.id]) ? results[test.id].join(": ") : "";
    failures.push({ id: test.id, kind: kindOf(test), outcome, message, reason: known[test.id] });
  }
  return failures;
}

// The suite measures by seconds on the wall clock, which a busy machine may stretch. What fails against the list is
// therefore asked once more, with all that it depends on, in a process of its own; what fails twice has failed.
function failAgain(unexpected, byId) {
  const ids = new Set();
  const add = (id) => {
    if (ids.has(id) || !byId.has(id)) return;
    ids.add(id);
    for (const needed of byId.get(id).depends_on ?? []) add(needed);
  };
  for (const { id } of unexpected) add(id);
  say(`once more: ${unexpected.map(({ id }) => id).join(", ")}`);
  const args = ["--only", [...ids].join(","), "--json", "--bin", options.bin, ...(options.suite ? ["--suite", options.suite] : [])];
  const run = spawnSync(process.execPath, [new URL(import.meta.url).pathname, ...args], { encoding: "utf8", maxBuffer: 1 << 26 });
  const again = new Set(JSON.parse(run.stdout).failures.map(({ id }) => id));
  return unexpected.filter(({ id }) => again.has(id));
}

async function main() {
  const suite = new Suite(options.suite, join(work, "client"));
  known = { ...reasons.always, ...reasons[suite.released ? "released" : "checkout"] };
  const groups = selected(await suite.groups());
  const byId = new Map(groups.flatMap((group) => group.tests).map((test) => [test.id, test]));
  // A part of the suite does not hold all that its tests depend on.
  if (options.only) for (const test of byId.values()) test.depends_on = test.depends_on?.filter((id) => byId.has(id));
  let origin, cluster, results;
  try {
    let base = options.base;
    if (!base) {
      origin = await startOrigin(options.suite);
      cluster = await new Cluster({ bin: options.bin, state: join(work, "cluster"), edges: 1, edgeSettings: { "site.upstreams": [origin.url] } }).start();
      base = `http://${cluster.edges[0].ready.public}`;
    }
    say(`${byId.size} tests of ${suite.released ? "the release on npm" : options.suite} against ${base}`);
    results = await suite.run(groups, base, together);
    if (cluster && !cluster.edges[0].running) throw new Error(`the edge died\n${cluster.edges[0].logTail()}`);
  } finally {
    await cluster?.stop();
    origin?.child.kill();
  }

  const counts = counted(groups, byId, results);
  const failures = failuresOf(groups, byId, results);
  let unexpected = failures.filter((failure) => failure.kind !== "check" && !failure.reason);
  if (unexpected.length > 0 && !options.only && !options.base) unexpected = failAgain(unexpected, byId);
  const mended = [...byId.keys()].filter((id) => known[id] && verdict(byId, results, id) === "pass");
  if (options.json) {
    console.log(JSON.stringify({ total: counts.total, failures, mended }, null, 2));
  } else {
    printTable(counts);
    for (const { id, kind, outcome, message, reason } of failures) {
      const mark = reason ? "known" : kind === "check" ? "     " : unexpected.some((failure) => failure.id === id) ? "NEW  " : "once ";
      console.log(`${mark} ${kind.padEnd(8)} ${id}: ${outcome}${message ? ` (${message})` : ""}${reason ? ` -- ${reason}` : ""}`);
    }
    for (const id of mended) console.log(`MENDED ${id}: take it out of known.json`);
  }
  return options.base || (unexpected.length === 0 && mended.length === 0) ? 0 : 1;
}

let code = 1;
try {
  code = await main();
} catch (error) {
  say(error.stack);
} finally {
  rmSync(work, { recursive: true, force: true });
}
process.exit(code);
