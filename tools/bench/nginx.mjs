// The peer: nginx as Debian packages it, with a configuration and folders of its own. Three servers in one process:
// static files with tcp_nopush off, the same with it on, and a proxy cache in front of the first.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import { dirname, join } from "node:path";
import { tracked } from "./processes.mjs";

const program = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"].find(existsSync);
const startLimitMs = 10_000;

async function freePorts(count) {
  const servers = await Promise.all(Array.from({ length: count }, () => new Promise((resolve, reject) => {
    const server = net.createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => resolve(server));
  })));
  const ports = servers.map((server) => server.address().port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

const configuration = (folder, [nopushOff, nopushOn, cache]) => `
${process.getuid() === 0 ? "user root;" : ""}
worker_processes 1;
daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log warn;
events { worker_connections 4096; }
http {
  access_log off;
  default_type video/mp4;
  client_body_temp_path ${folder}/client; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  sendfile on;
  keepalive_requests 1000000000;
  open_file_cache max=10000 inactive=1h;
  open_file_cache_valid 1h;
  proxy_cache_path ${folder}/cache levels=1:2 keys_zone=hits:10m inactive=1h max_size=4g;
  server { listen 127.0.0.1:${nopushOff}; root ${folder}/www; tcp_nopush off; }
  server { listen 127.0.0.1:${nopushOn}; root ${folder}/www; tcp_nopush on; }
  server {
    listen 127.0.0.1:${cache};
    tcp_nopush off;
    location / {
      proxy_pass http://127.0.0.1:${nopushOff};
      proxy_cache hits;
      proxy_cache_valid 200 1h;
      add_header X-Cache $upstream_cache_status;
    }
  }
}
`;

export class Nginx {
  constructor(folder, core) {
    if (!program) throw new Error("nginx is not installed; ./dev setup installs Debian's nginx-light");
    Object.assign(this, { folder, core });
    mkdirSync(join(folder, "www"), { recursive: true });
  }

  put(path, bytes) {
    const file = join(this.folder, "www", path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }

  async start() {
    const ports = await freePorts(3);
    [this.nopushOff, this.nopushOn, this.cache] = ports.map((port) => `http://127.0.0.1:${port}`);
    const config = join(this.folder, "nginx.conf");
    writeFileSync(config, configuration(this.folder, ports));
    const log = openSync(join(this.folder, "start.log"), "a");
    const child = spawn("taskset", ["-c", String(this.core), program, "-p", this.folder, "-c", config, "-e", join(this.folder, "error.log")], { stdio: ["ignore", log, log] });
    this.process = tracked(child);
    for (const end = Date.now() + startLimitMs; ;) {
      if (await fetch(`${this.cache}/`).then(() => true, () => false)) return this;
      if (child.exitCode !== null || Date.now() > end) {
        throw new Error(`nginx did not start: ${readFileSync(join(this.folder, "start.log"), "utf8")}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  get pid() { return this.process.child.pid; }

  async stop() { await this.process?.stop(); }
}
