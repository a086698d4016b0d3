// One origin and some edges on this machine, with configuration and secrets of their own: what the demo, the
// benchmarks and the end-to-end tests start. Every port is picked by the kernel unless one is given.

import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const startLimitMs = 30_000;
const stopLimitMs = 40_000;

function yaml(settings) {
  const tree = {};
  for (const [key, value] of Object.entries(settings)) {
    const path = key.split(".");
    let at = tree;
    for (const part of path.slice(0, -1)) at = at[part] ??= {};
    at[path.at(-1)] = value;
  }
  const write = (node, indent) =>
    Object.entries(node).map(([key, value]) => {
      const pad = " ".repeat(indent);
      if (Array.isArray(value)) return `${pad}${key}: [${value.map((v) => JSON.stringify(v)).join(", ")}]\n`;
      if (typeof value === "object") return `${pad}${key}:\n${write(value, indent + 2)}`;
      return `${pad}${key}: ${JSON.stringify(value)}\n`;
    }).join("");
  return write(tree, 0);
}

// A server process: started until it says it is ready, its log in a file.
export class Server {
  constructor(name, program, config, state, wrapper = []) {
    Object.assign(this, { name, program, config, wrapper, logFile: join(state, `${name}.log`), child: null, ready: null });
  }

  async start() {
    const log = openSync(this.logFile, "a");
    const [command, ...args] = [...this.wrapper, this.program, "--config", this.config];
    const child = spawn(command, args, { stdio: ["ignore", "pipe", log] });
    closeSync(log);
    this.child = child;
    this.exited = new Promise((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));
    child.once("error", (error) => { this.spawnError = error; });
    this.ready = await new Promise((resolve, reject) => {
      let text = "";
      const timer = setTimeout(() => reject(new Error(`${this.name} was not ready within ${startLimitMs} ms\n${this.logTail()}`)), startLimitMs);
      child.stdout.on("data", (piece) => {
        text += piece;
        const end = text.indexOf("\n");
        if (end < 0) return;
        clearTimeout(timer);
        try {
          resolve(JSON.parse(text.slice(0, end)));
        } catch (error) {
          reject(new Error(`${this.name} printed no ready line but: ${text.slice(0, end)}`));
        }
      });
      this.exited.then(({ code, signal }) => {
        clearTimeout(timer);
        reject(new Error(`${this.name} ended at its start with ${signal ?? `exit code ${code}`}\n${this.logTail()}`));
      });
      child.once("error", (error) => reject(error));
    });
    return this.ready;
  }

  get running() { return this.child !== null && this.child.exitCode === null && this.child.signalCode === null; }

  async stop(signal = "SIGTERM") {
    if (!this.running) return this.child ? this.exited : null;
    this.child.kill(signal);
    const timer = setTimeout(() => this.child.kill("SIGKILL"), stopLimitMs);
    const end = await this.exited;
    clearTimeout(timer);
    return end;
  }

  kill() { return this.stop("SIGKILL"); }

  logTail(lines = 20) {
    if (!existsSync(this.logFile)) return "";
    return readFileSync(this.logFile, "utf8").split("\n").slice(-lines - 1).join("\n");
  }
}

export class Cluster {
  // bin: folder of the programs; state: an empty folder for everything the servers keep
  constructor({ bin, state, edges = 2, originSettings = {}, edgeSettings = {}, wrapOrigin = [], wrapEdge = [] }) {
    Object.assign(this, { bin, state, edgeCount: edges, originSettings, edgeSettings, wrapOrigin, wrapEdge, edges: [] });
    mkdirSync(state, { recursive: true });
    this.secrets = {};
    for (const name of ["api", "seal", ...Array.from({ length: edges }, (_, i) => `edge-${i + 1}`), "admin"]) {
      // A folder that was kept from an earlier run keeps its secrets: its signing keys are sealed with one of them.
      const file = join(state, `${name}.secret`);
      if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString("hex") + "\n", { mode: 0o600 });
      this.secrets[name] = readFileSync(file, "utf8").trim();
    }
    const edgeLines = Array.from({ length: edges }, (_, i) => `edge-${i + 1} ${this.secrets[`edge-${i + 1}`]}\n`);
    writeFileSync(join(state, "edges.secret"), edgeLines.join(""), { mode: 0o600 });
  }

  secretFile(name) { return join(this.state, `${name}.secret`); }

  // Ports are picked at the first start and kept for every later one, as on a real machine.
  async startOrigin() {
    const settings = {
      data_dir: join(this.state, "origin"),
      "api.listen": this.ports?.api ?? "127.0.0.1:0",
      "api.credential_file": this.secretFile("api"),
      "media.listen": this.ports?.media ?? "127.0.0.1:0",
      "media.edges_file": this.secretFile("edges"),
      "keys.seal_file": this.secretFile("seal"),
      public_edges: this.edges.filter((edge) => edge.ready).map((edge) => `http://${edge.ready.public}`),
      ...this.originSettings,
    };
    const config = join(this.state, "origin.yaml");
    writeFileSync(config, yaml(settings));
    this.origin = new Server("origin", join(this.bin, "reelway-origin"), config, this.state, this.wrapOrigin);
    this.ports = await this.origin.start();
    return this.origin;
  }

  async startEdge(number) {
    const former = this.edges[number - 1];
    const settings = {
      edge_id: `edge-${number}`,
      "public.listen": former?.ready?.public ?? "127.0.0.1:0",
      "admin.listen": former?.ready?.admin ?? "127.0.0.1:0",
      "admin.credential_file": this.secretFile("admin"),
      "upstream.url": `http://${this.ports.media}`,
      "upstream.secret_file": this.secretFile(`edge-${number}`),
      "store.directory": join(this.state, `edge-${number}`),
      "cors.origins": ["*"],
      access_log: join(this.state, `edge-${number}.access.log`),
      ...this.edgeSettings,
    };
    const config = join(this.state, `edge-${number}.yaml`);
    writeFileSync(config, yaml(settings));
    const edge = new Server(`edge-${number}`, join(this.bin, "reelway-edge"), config, this.state, this.wrapEdge);
    await edge.start();
    this.edges[number - 1] = edge;
    return edge;
  }

  // The origin must know the edges' public addresses for its play URLs, so it is started again once they are known.
  async start() {
    if (!this.origin?.running) await this.startOrigin();
    for (let number = 1; number <= this.edgeCount; ++number) await this.startEdge(number);
    await this.origin.stop();
    await this.startOrigin();
    this.writeCliConfig();
    await Promise.all(this.edges.map((edge) => this.waitForEdge(edge)));
    return this;
  }

  // An edge answers for films once it has the signing keys.
  async waitForEdge(edge, limitMs = 15_000) {
    for (const end = Date.now() + limitMs; ;) {
      const answer = await fetch(`http://${edge.ready.admin}/v1/ready`, { headers: this.bearer("admin") }).catch((error) => ({ status: error.message }));
      if (answer.status === 200) return;
      if (Date.now() > end) throw new Error(`${edge.name} is not ready: ${answer.status}\n${edge.logTail()}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  writeCliConfig() {
    this.cliConfig = join(this.state, "reelway.yaml");
    writeFileSync(this.cliConfig, yaml({
      "origin.url": `http://${this.ports.api}`,
      "origin.credential_file": this.secretFile("api"),
      edges: this.edges.map((edge) => `http://${edge.ready.public} http://${edge.ready.admin} ${this.secretFile("admin")}`),
    }));
  }

  bearer(name) { return { Authorization: `Bearer ${this.secrets[name]}` }; }

  // Runs the operator's command; its JSON answer, or an Error with what it printed.
  cli(...args) {
    const run = spawnSync(join(this.bin, "reelway"), ["--json", ...args], { encoding: "utf8", env: { ...process.env, REELWAY_CONFIG: this.cliConfig }, maxBuffer: 1 << 26 });
    if (run.status !== 0) {
      const error = new Error(`reelway ${args.join(" ")}: exit ${run.status ?? run.signal ?? run.error}\n${run.stdout}${run.stderr}`);
      error.status = run.status;
      try { error.answer = JSON.parse(run.stdout.trim().split("\n").at(-1)).error; } catch { /* not JSON: the text says it */ }
      throw error;
    }
    return JSON.parse(run.stdout.trim().split("\n").at(-1));
  }

  async api(method, path, body) {
    const answer = await fetch(`http://${this.ports.api}${path}`, {
      method, headers: { ...this.bearer("api"), ...(body ? { "Content-Type": "application/json" } : {}) }, body: body && JSON.stringify(body) });
    const text = await answer.text();
    return { status: answer.status, body: text ? JSON.parse(text) : null };
  }

  media(path, edge = "edge-1", options = {}) {
    return fetch(`http://${this.ports.media}${path}`, { ...options, headers: { ...this.bearer(edge), "Reelway-Edge": edge, ...options.headers } });
  }

  // Values of one metric: a map from its labels ("" without any) to the number.
  async metrics(where, name) {
    const [url, secret] = where === "origin" ? [`http://${this.ports.api}/metrics`, "api"] : [`http://${where.ready.admin}/metrics`, "admin"];
    const text = await (await fetch(url, { headers: this.bearer(secret) })).text();
    const values = new Map();
    for (const line of text.split("\n")) {
      const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
      if (match && match[1] === name) values.set(match[2] ?? "", Number(match[3]));
    }
    return values;
  }

  async stop() {
    await Promise.all(this.edges.map((edge) => edge.stop()));
    await this.origin?.stop();
  }
}
