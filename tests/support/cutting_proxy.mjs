// A TCP proxy between an edge and its origin that cuts connections after a chosen number of the origin's bytes: a
// stream then breaks off in the middle of a frame, at a place that a seed decides.

import net from "node:net";

export class CuttingProxy {
  constructor(target) {
    const [host, port] = target.split(":");
    this.target = { host, port: Number(port) };
    this.sockets = new Set();
    this.cuts = 0;
    this.passed = 0;
  }

  async listen() {
    this.server = net.createServer((client) => this.#join(client));
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.address = `127.0.0.1:${this.server.address().port}`;
    return this;
  }

  #join(client) {
    const origin = net.connect(this.target);
    for (const socket of [client, origin]) {
      this.sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => { this.sockets.delete(socket); client.destroy(); origin.destroy(); });
    }
    client.on("data", (piece) => origin.write(piece));
    origin.on("data", (piece) => this.#pass(client, piece));
  }

  #pass(client, piece) {
    const room = this.cutAfter === undefined ? piece.length : Math.min(piece.length, this.cutAfter);
    this.passed += room;
    if (this.cutAfter !== undefined) this.cutAfter -= room;
    client.write(piece.subarray(0, room), () => {
      if (this.cutAfter === 0) this.#cut();
    });
  }

  // Every connection is closed once `bytes` more of the origin's bytes have passed, in all; resolves then.
  cutAfterBytes(bytes) {
    this.cutAfter = bytes;
    return new Promise((resolve) => { this.cutDone = resolve; });
  }

  #cut() {
    if (this.cutAfter === undefined) return;
    this.cutAfter = undefined;
    this.cuts += 1;
    for (const socket of this.sockets) socket.destroy();
    this.cutDone?.();
  }

  async close() {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
