// The caches that the edge is measured beside, as Debian packages them, each with its configuration of tools/bench/peers/
// and folders of its own, on the server's core. Access logs are off.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import { dirname, join } from "node:path";
import { serverCore } from "./measure.mjs";
import { tracked } from "./processes.mjs";

const templates = join(import.meta.dirname ?? dirname(new URL(import.meta.url).pathname), "peers");
const startLimitMs = 30_000;
const mib = 1 << 20;

async function freePort() {
  const server = await new Promise((resolve, reject) => {
    const listening = net.createServer().once("error", reject);
    listening.listen(0, "127.0.0.1", () => resolve(listening));
  });
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const program = (name) => {
  const found = ["/usr/sbin", "/usr/bin", "/usr/local/sbin"].map((folder) => join(folder, name)).find(existsSync);
  if (!found) throw new Error(`${name} is not installed; ./dev setup installs what is missing`);
  return found;
};

function fill(name, values) {
  return readFileSync(join(templates, name), "utf8").replace(/\{\{(\w+)\}\}/g, (_, key) => {
    if (values[key] === undefined) throw new Error(`${name}: no value for ${key}`);
    return String(values[key]);
  });
}

function write(file, text) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

// memoryBytes: what it may hold of bodies in memory; diskBytes: on disk; aio: whether its data lie on disk;
// largeBodies: HAProxy's buffers are chosen by it; wrapper: a command to start it with.
class Peer {
  constructor({ folder, origin, memoryBytes = 1024 * mib, diskBytes = 4096 * mib, aio = false, largeBodies = false, wrapper = [] }) {
    Object.assign(this, { folder, origin, memoryBytes, diskBytes, aio, largeBodies, wrapper });
    mkdirSync(folder, { recursive: true });
  }

  async start() {
    this.port = await freePort();
    const [command, ...args] = await this.prepare();
    const log = openSync(join(this.folder, "start.log"), "a");
    const child = spawn("taskset", ["-c", String(serverCore), ...this.wrapper, command, ...args], { stdio: ["ignore", log, log], env: { ...process.env, ...this.environment } });
    this.process = tracked(child);
    for (const end = Date.now() + startLimitMs; ;) {
      // Any answer of its cache will do: some listen before they are ready.
      if (await fetch(`${this.base}/`).then((answer) => answer.status === 404, () => false)) return this;
      if (child.exitCode !== null || Date.now() > end) throw new Error(`${this.name} did not start: ${readFileSync(join(this.folder, "start.log"), "utf8")}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  get base() { return `http://127.0.0.1:${this.port}`; }
  get pid() { return this.process.child.pid; }
  async stop() { await this.process?.stop(); }
}

export class NginxCache extends Peer {
  name = "nginx proxy_cache";

  async prepare() {
    this.staticPort = await freePort();
    mkdirSync(join(this.folder, "www"), { recursive: true });
    const config = join(this.folder, "nginx.conf");
    write(config, fill("nginx.conf", {
      folder: this.folder, port: this.port, static_port: this.staticPort, origin: this.origin,
      user: process.getuid() === 0 ? "user root;" : "",
      aio: this.aio ? "aio threads;" : "" }));
    return [program("nginx"), "-p", this.folder, "-c", config, "-e", join(this.folder, "error.log")];
  }

  // The same objects as files: what nginx is at its fastest, though no cache.
  put(path, bytes) { write(join(this.folder, "www", path), bytes); }
  get staticFiles() { return { name: "nginx static files", base: `http://127.0.0.1:${this.staticPort}`, pid: () => this.pid }; }
}

export class Haproxy extends Peer {
  name = "HAProxy";

  prepare() {
    const config = join(this.folder, "haproxy.cfg");
    write(config, fill("haproxy.cfg", {
      port: this.port, origin: this.origin, memory_mib: Math.min(4095, this.memoryBytes / mib), bufsize: this.largeBodies ? 65536 : 16384 }));
    return [program("haproxy"), "-db", "-f", config];
  }
}

export class Varnish extends Peer {
  name = "Varnish";

  prepare() {
    const config = join(this.folder, "default.vcl");
    const [host, port] = this.origin.split(":");
    write(config, fill("varnish.vcl", { origin_host: host, origin_port: port }));
    const unlogged = ["Begin", "End", "Link", "SessOpen", "SessClose", "ReqStart", "ReqMethod", "ReqURL", "ReqProtocol", "ReqHeader", "ReqAcct", "ReqUnset",
      "RespProtocol", "RespStatus", "RespReason", "RespHeader", "RespUnset", "Timestamp", "VCL_call", "VCL_return", "VCL_use", "Hit", "Filters", "Length"];
    const parameters = {
      thread_pools: 1, thread_pool_min: 100, thread_pool_max: 2000, timeout_idle: 3600, lru_interval: 60,
      vsl_mask: unlogged.map((tag) => `-${tag}`).join(",") };
    return [program("varnishd"), "-j", "none", "-F", "-n", join(this.folder, "state"), "-a", `127.0.0.1:${this.port}`, "-T", "none",
      "-f", config, "-s", `malloc,${this.memoryBytes / mib}m`,
      ...Object.entries(parameters).flatMap(([name, value]) => ["-p", `${name}=${value}`])];
  }
}

export class TrafficServer extends Peer {
  name = "Traffic Server";

  prepare() {
    const values = { folder: this.folder, port: this.port, origin: this.origin, memory_bytes: this.memoryBytes, disk_bytes: this.diskBytes };
    for (const name of ["records.config", "remap.config", "storage.config", "ip_allow.yaml"]) write(join(this.folder, "etc", name), fill(`trafficserver/${name}`, values));
    for (const folder of ["cache", "log", "run"]) mkdirSync(join(this.folder, folder), { recursive: true });
    const places = {
      prefix: "/usr", exec_prefix: "/usr", bindir: "/usr/bin", sbindir: "/usr/sbin", libexecdir: "/usr/lib/trafficserver/modules",
      sysconfdir: join(this.folder, "etc"), datadir: join(this.folder, "run"), localstatedir: join(this.folder, "run"),
      runtimedir: join(this.folder, "run"), logdir: join(this.folder, "log"), cachedir: join(this.folder, "cache") };
    const layout = join(this.folder, "runroot.yaml");
    write(layout, Object.entries(places).map(([name, place]) => `${name}: ${place}\n`).join(""));
    return [program("traffic_server"), `--run-root=${layout}`];
  }
}
