// Serves a folder of static files on 127.0.0.1, and a few actions by POST: the demo's page and its shop.

import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const contentTypes = {
  ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8", ".svg": "image/svg+xml", ".json": "application/json", ".png": "image/png",
};

function fileOf(folder, target) {
  let path;
  try {
    path = decodeURIComponent(new URL(target, "http://page").pathname);
  } catch {
    return null;
  }
  if (path.includes("\0")) return null;
  const file = join(folder, normalize(path.endsWith("/") ? `${path}index.html` : path));
  if (!file.startsWith(join(folder, "/"))) return null;
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat?.isFile() ? { file, stat } : null;
}

// A page of another site must not be able to press the shop's buttons, whatever name it gives this address.
const isOurs = (request) => request.headers.origin === `http://127.0.0.1:${request.socket.localPort}`;

async function act(action, request, response) {
  const [status, body] = isOurs(request) ? await action().then((result) => [200, result], (error) => [502, { error: error.message }]) : [403, { error: "another origin" }];
  response.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" }).end(JSON.stringify(body));
}

// actions: path -> async function whose result is answered as JSON
export async function servePage(folder, { port = 0, actions = {} } = {}) {
  const server = createServer((request, response) => {
    if (request.method === "POST" && Object.hasOwn(actions, request.url)) return void act(actions[request.url], request, response);
    const found = ["GET", "HEAD"].includes(request.method) ? fileOf(folder, request.url) : null;
    if (!found) {
      response.writeHead(404, { "Content-Type": "text/plain" }).end("not found\n");
      return;
    }
    response.writeHead(200, {
      "Content-Type": contentTypes[extname(found.file)] ?? "application/octet-stream",
      "Content-Length": found.stat.size, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff",
    });
    if (request.method === "HEAD") response.end();
    else createReadStream(found.file).on("error", () => response.destroy()).pipe(response);
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(port, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    close: () => new Promise((resolve) => { server.closeAllConnections?.(); server.close(resolve); }),
  };
}
