// npm's s3rver as a program: node --openssl-legacy-provider s3rver_server.mjs FOLDER KEY_ID SECRET
// It serves the bucket "films" and prints its endpoint.

import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const S3rver = require("s3rver");
const [folder, keyId, secret] = process.argv.slice(2);
require("s3rver/lib/models/account").DUMMY_ACCOUNT.createKeyPair(keyId, secret);
const server = new S3rver({ port: 0, address: "127.0.0.1", silent: true, directory: folder, configureBuckets: [{ name: "films" }] });
const { port } = await server.run();
console.log(`http://127.0.0.1:${port}`);
