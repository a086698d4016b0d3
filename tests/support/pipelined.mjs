// Many small HTTP/1.1 exchanges at little cost, for tests with a million objects: an origin that answers on raw
// sockets, and a client that asks for a list of paths over a few connections, several at a time on each.

import net from "node:net";

const headEnd = Buffer.from("\r\n\r\n");

// Answers every GET with what `answer(path)` returns: { headers, body }.
export class QuickOrigin {
  constructor(answer) {
    this.requests = 0;
    this.server = net.createServer((socket) => {
      let text = "";
      socket.on("error", () => {});
      socket.on("data", (piece) => {
        text += piece.toString("latin1");
        for (let end = text.indexOf("\r\n\r\n"); end >= 0; end = text.indexOf("\r\n\r\n")) {
          const path = text.slice(text.indexOf(" ") + 1, text.indexOf(" HTTP/1."));
          text = text.slice(end + 4);
          ++this.requests;
          const { headers, body } = answer(path);
          socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n${headers}\r\n`);
          socket.write(body);
        }
      });
    });
  }

  async listen() {
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  close() { this.server.close(); }
}

// One connection's part of the paths. `done(path, head, body)` for each answer, in order; body is empty for HEAD.
function askOn(address, method, take, done, depth) {
  const [host, port] = address.split(":");
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), host);
    const asked = [];
    let held = Buffer.alloc(0);
    let drained = false;
    const ask = () => {
      let text = "";
      while (!drained && asked.length < depth) {
        const path = take();
        if (path === undefined) drained = true;
        else text += `${method} ${path} HTTP/1.1\r\nHost: site.example\r\n\r\n`;
        if (path !== undefined) asked.push(path);
      }
      if (text) socket.write(text, "latin1");
      if (drained && asked.length === 0) socket.end(() => resolve());
    };
    socket.on("connect", ask);
    socket.on("data", (piece) => {
      held = held.length ? Buffer.concat([held, piece]) : piece;
      let at = 0;
      while (asked.length > 0) {
        const end = held.indexOf(headEnd, at);
        if (end < 0) break;
        const head = held.toString("latin1", at, end);
        const length = method === "HEAD" ? 0 : Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
        if (held.length < end + 4 + length) break;
        done(asked.shift(), head, held.subarray(end + 4, end + 4 + length));
        at = end + 4 + length;
      }
      held = held.subarray(at);
      ask();
    });
    socket.on("error", reject);
    socket.on("close", () => (asked.length > 0 ? reject(new Error(`closed before ${asked[0]} was answered`)) : resolve()));
  });
}

// Asks for all paths that `paths` (an iterator) gives.
export async function askAll(address, paths, done, { method = "GET", connections = 32, depth = 16 } = {}) {
  const take = () => paths.next().value;
  await Promise.all(Array.from({ length: connections }, () => askOn(address, method, take, done, depth)));
}
