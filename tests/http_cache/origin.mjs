// The suite's origin in a process of its own: node origin.mjs [CHECKOUT_COPY]. Prints its port.

import http from "node:http";
import { Suite } from "./suite.mjs";

console.log = console.error;  // the suite's notes; our standard output is the port
const suite = new Suite(process.argv[2] || undefined, process.argv[3]);
const server = http.createServer(await suite.originHandler());
server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
