// A TCP proxy between edge and origin that tests use as a barrier: it lets `bytesBeforeGate` bytes of the origin's
// answers through on each connection made while the gate is shut, and the rest once the gate opens.

import net from "node:net";

export class GateProxy {
  constructor(target) {
    const [host, port] = target.split(":");
    this.target = { host, port: Number(port) };
    this.shutAfter = Infinity;
    this.waiting = new Set();
    this.sockets = new Set();
    this.connections = 0;
  }

  async listen() {
    this.server = net.createServer((client) => this.#join(client));
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
    this.address = `127.0.0.1:${this.server.address().port}`;
    return this;
  }

  #join(client) {
    this.connections += 1;
    const origin = net.connect(this.target);
    for (const socket of [client, origin]) {
      this.sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => { this.sockets.delete(socket); client.destroy(); origin.destroy(); });
    }
    client.on("data", (piece) => origin.write(piece));
    let passed = 0;
    const held = [];
    const release = () => { for (const piece of held.splice(0)) client.write(piece); };
    this.waiting.add(release);
    client.on("close", () => this.waiting.delete(release));
    origin.on("data", (piece) => {
      const room = Math.max(0, Math.min(piece.length, this.shutAfter - passed));
      passed += piece.length;
      if (held.length === 0 && room > 0) client.write(piece.subarray(0, room));
      if (room < piece.length || held.length > 0) held.push(held.length > 0 ? piece : piece.subarray(room));
      if (this.shutAfter === Infinity) release();
    });
  }

  shut(bytesBeforeGate) { this.shutAfter = bytesBeforeGate; }

  open() {
    this.shutAfter = Infinity;
    for (const release of this.waiting) release();
  }

  cutAll() { for (const socket of this.sockets) socket.destroy(); }

  async close() {
    this.cutAll();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
