// A server of films by URL, which behaves as each path says:
//
//   const server = await new FilmServer().start();          // { tls: { key, cert } } for https
//   server.put("/film.mov", bytes, { ranges, etag, length, each });
//
// ranges   whether parts are given (default true)
// etag     of the content (default: made of it; null for none)
// length   whether the whole has a Content-Length (default true)
// each     called with { request, response, number } before an answer; true when it has answered by itself
//
// server.requests lists { path, query, headers } of all of them, server.connections counts, server.bytesSent too.

import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { createServer as createTlsServer } from "node:https";

export class FilmServer {
  constructor({ tls = null } = {}) {
    this.tls = tls;
    this.films = new Map();
    this.requests = [];
    this.connections = 0;
    this.bytesSent = 0;
  }

  async start(address = "127.0.0.1") {
    const serve = (request, response) => this.#serve(request, response).catch(() => response.destroy());
    this.server = this.tls ? createTlsServer(this.tls, serve) : createServer(serve);
    this.server.on("connection", () => { ++this.connections; });
    await new Promise((resolve) => this.server.listen(0, address, resolve));
    this.port = this.server.address().port;
    this.url = `${this.tls ? "https" : "http"}://${address}:${this.port}`;
    return this;
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  put(path, bytes, { ranges = true, etag = undefined, length = true, each = () => false } = {}) {
    const own = `"${createHash("md5").update(bytes).digest("hex")}"`;
    this.films.set(path, { bytes, ranges, etag: etag === undefined ? own : etag, length, each });
  }

  async #serve(request, response) {
    const { pathname, search } = new URL(request.url, "http://host");
    this.requests.push({ path: pathname, query: search, headers: request.headers });
    const film = this.films.get(pathname);
    if (!film) return response.writeHead(404).end();
    if (await film.each({ request, response, number: this.requests.filter(({ path }) => path === pathname).length })) return;
    const headers = film.etag ? { etag: film.etag } : {};
    if (request.headers["if-match"] && request.headers["if-match"] !== film.etag) return response.writeHead(412).end();
    const range = film.ranges && /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    if (range) {
      const [first, last] = [Number(range[1]), Math.min(Number(range[2]), film.bytes.length - 1)];
      if (first >= film.bytes.length) return response.writeHead(416, { "content-range": `bytes */${film.bytes.length}` }).end();
      const part = film.bytes.subarray(first, last + 1);
      response.writeHead(206, { ...headers, "content-range": `bytes ${first}-${last}/${film.bytes.length}`, "content-length": part.length });
      this.bytesSent += part.length;
      return response.end(part);
    }
    response.writeHead(200, { ...headers, ...(film.length ? { "content-length": film.bytes.length } : {}) });
    this.bytesSent += film.bytes.length;
    response.end(film.bytes);
  }
}
