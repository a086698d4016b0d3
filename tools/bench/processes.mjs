// Processes of a measurement: their CPU time as the scheduler accounts it, and how busy a core was.

import { spawn, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

const stopLimitMs = 10_000;

// A child that stop() ends for certain.
export function tracked(child) {
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), stopLimitMs);
    await exited;
    clearTimeout(timer);
  };
  return { child, stop };
}

// All threads of a process that runs already.
export function pin(pid, core) {
  const pinned = spawnSync("taskset", ["-a", "-c", "-p", String(core), String(pid)], { encoding: "utf8" });
  if (pinned.status !== 0) throw new Error(`taskset: ${pinned.stderr}`);
}

// Starts a client. `ended` gives its exit code and what it printed; nothing throws, so that nobody needs to wait for it.
export function startClient(core, command, args, wrapper = []) {
  const { child, stop } = tracked(spawn("taskset", ["-c", String(core), ...wrapper, command, ...args], { stdio: ["ignore", "pipe", "pipe"] }));
  let out = "";
  let err = "";
  child.stdout.on("data", (piece) => { out += piece; });
  child.stderr.on("data", (piece) => { err += piece; });
  const ended = new Promise((resolve) => {
    child.once("close", (code) => resolve({ code, out, err }));
    child.once("error", (error) => resolve({ code: null, out, err: error.message }));
  });
  return { ended, stop, name: `${command} ${args[0]}` };
}

// Runs a client to its end; its standard output.
export async function runClient(core, command, args) {
  const { code, out, err } = await startClient(core, command, args).ended;
  if (code !== 0) throw new Error(`${command} ${args[0]} ended with ${code}: ${err}${out}`);
  return out;
}

function descendants(pid) {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return [pid, ...(children ? children.split(" ").flatMap((child) => descendants(Number(child))) : [])];
}

// Seconds of CPU used so far by a server: all threads of the process and of its children.
export function cpuSeconds(pid) {
  let nanoseconds = 0;
  for (const process of descendants(pid)) {
    for (const thread of readdirSync(`/proc/${process}/task`)) {
      nanoseconds += Number(readFileSync(`/proc/${process}/task/${thread}/schedstat`, "utf8").split(" ")[0]);
    }
  }
  return nanoseconds / 1e9;
}

// Ticks of one core: all, and those in which it did something.
export function coreTicks(core) {
  const line = readFileSync("/proc/stat", "utf8").split("\n").find((text) => text.startsWith(`cpu${core} `));
  const ticks = line.split(/\s+/).slice(1, 9).map(Number);
  const all = ticks.reduce((sum, value) => sum + value, 0);
  return { all, busy: all - ticks[3] - ticks[4] };
}

export const busyShare = (before, after) => (after.busy - before.busy) / Math.max(1, after.all - before.all);

// Memory of a server and its children that is its own: private pages and its share of those shared among them, without
// files.
export function privateBytes(pid) {
  let kib = 0;
  for (const process of descendants(pid)) {
    const text = readFileSync(`/proc/${process}/smaps_rollup`, "utf8");
    for (const [, value] of text.matchAll(/^Pss_(?:Anon|Shmem):\s+(\d+) kB$/gm)) kib += Number(value);
  }
  return kib * 1024;
}

// What a process holds in memory now, in MiB.
export function residentMiB(pid) {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;
}
