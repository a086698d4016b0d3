// A TCP proxy between a tus client and an origin that reads along: where each PATCH begins, how many of its bytes came
// through, and which offsets the origin has acknowledged (Upload-Offset of any answer). Actions can be set for when so
// many bytes of bodies have passed in all.

import net from "node:net";

// Reads the messages of one direction: heads to `onHead` (which returns whether a body follows, or how long it is),
// pieces of bodies to `onBody`.
class MessageReader {
  constructor(onHead, onBody) {
    Object.assign(this, { onHead, onBody, head: Buffer.alloc(0), bodyLeft: 0 });
  }

  read(piece) {
    for (let rest = piece; rest.length > 0;) {
      if (this.bodyLeft > 0) {
        const body = Math.min(this.bodyLeft, rest.length);
        this.bodyLeft -= body;
        rest = rest.subarray(body);
        this.onBody?.(body);
        continue;
      }
      this.head = Buffer.concat([this.head, rest]);
      const end = this.head.indexOf("\r\n\r\n");
      if (end < 0) return;
      const lines = this.head.subarray(0, end).toString("latin1").split("\r\n");
      rest = this.head.subarray(end + 4);
      this.head = Buffer.alloc(0);
      const fields = new Map(lines.slice(1).map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]));
      this.bodyLeft = this.onHead(lines[0], fields);
    }
  }
}

export class TusProxy {
  constructor(target) {
    const [host, port] = target.split(":");
    this.target = { host, port: Number(port) };
    this.sockets = new Set();
    this.bodyBytes = 0;
    this.actions = [];  // { at, run }, by `at`
    this.patches = [];  // { upload, offset, acknowledged, bytes }: the offset it names, and the last acknowledged before it
    this.acknowledged = new Map();  // by upload
    this.answers = new Map();       // by status
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
    const asked = [];
    let patch;
    const requests = new MessageReader((line, fields) => {
      const [method, path] = line.split(" ");
      const upload = path.split("/").at(-1);
      asked.push({ method, upload });
      patch = undefined;
      if (method === "PATCH") {
        patch = { upload, offset: Number(fields.get("upload-offset")), acknowledged: this.acknowledged.get(upload) ?? 0, bytes: 0 };
        this.patches.push(patch);
      }
      return Number(fields.get("content-length") ?? 0);
    }, (bytes) => {
      if (patch === undefined) return;
      patch.bytes += bytes;
      this.bodyBytes += bytes;
    });
    const answers = new MessageReader((line, fields) => {
      const status = Number(line.split(" ")[1]);
      if (status === 100) return 0;
      const { method, upload } = asked.shift() ?? {};
      this.answers.set(status, (this.answers.get(status) ?? 0) + 1);
      if (status < 300 && fields.has("upload-offset")) {
        this.acknowledged.set(upload, Math.max(this.acknowledged.get(upload) ?? 0, Number(fields.get("upload-offset"))));
      }
      return method === "HEAD" || status === 204 ? 0 : Number(fields.get("content-length") ?? 0);
    });
    client.on("data", (piece) => {
      requests.read(piece);
      if (!origin.write(piece)) {
        client.pause();
        origin.once("drain", () => client.resume());
      }
      this.#act();
    });
    origin.on("data", (piece) => {
      answers.read(piece);
      client.write(piece);
    });
  }

  // Runs `action` once so many bytes of bodies have come from the client, in all.
  at(bytes, action) {
    this.actions.push({ at: bytes, run: action });
    this.actions.sort((a, b) => a.at - b.at);
  }

  #act() {
    while (this.actions.length > 0 && this.bodyBytes >= this.actions[0].at) this.actions.shift().run();
  }

  cut() {
    for (const socket of this.sockets) socket.destroy();
  }

  async close() {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
