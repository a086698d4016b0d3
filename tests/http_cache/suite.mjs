// The suite http-cache-tests, from npm or from a checkout of its repository, which differ in where things lie and in how
// the client is called. Nothing of it is copied into ours.

import { cpSync, existsSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));

export class Suite {
  // folder: of a checkout; absent: the release from npm. work: an empty folder, where a checkout finds our modules.
  constructor(folder, work) {
    const released = join(here, "node_modules", "http-cache-tests");
    this.folder = folder ? resolve(folder) : released;
    if (!existsSync(join(this.folder, "tests", "index.mjs"))) {
      throw new Error(folder ? `${folder} is no checkout of http-cache-tests` : "http-cache-tests is not installed: run ./dev setup");
    }
    if (folder) {
      mkdirSync(work, { recursive: true });
      cpSync(this.folder, join(work, "suite"), { recursive: true, filter: (path) => !path.includes("/.git") && !path.includes("/node_modules") });
      symlinkSync(join(here, "node_modules"), join(work, "node_modules"));
      this.folder = join(work, "suite");
    }
    this.engine = existsSync(join(this.folder, "test-engine")) ? join(this.folder, "test-engine") : this.folder;
    this.released = this.engine === this.folder;
  }

  #import(path) { return import(pathToFileURL(path)); }

  // The groups of tests, without those for browsers only.
  async groups() {
    const groups = (await this.#import(join(this.folder, "tests", "index.mjs"))).default;
    return groups.map((group) => ({ ...group, tests: group.tests.filter((test) => !test.browser_only) }));
  }

  // Runs `groups` against the cache at `base`; at most `together` tests at once. id -> true, or [kind of failure, message].
  async run(groups, base, together) {
    const client = await this.#import(join(this.engine, "client", "runner.mjs"));
    if (this.released) {
      // Written for node-fetch, which sends what it is given. The fetch of Node.js thinks of a cache of its own and adds
      // no-cache to requests with preconditions, unless they say something themselves.
      const plainFetch = (url, { cache, headers = [], ...options } = {}) => {
        const says = (name) => headers.some(([given]) => given.toLowerCase() === name);
        const fillers = [["Pragma", "foo"], ["Cache-Control", "nothing-to-see-here"]].filter(([name]) => !says(name.toLowerCase()));
        return fetch(url, { ...options, headers: [...headers, ...fillers] });
      };
      await client.runTests(groups, plainFetch, false, base, together);
    } else {
      await client.runTests(groups, false, base, together);
    }
    return client.getResults();
  }

  // What answers as the origin: (request, response) for node:http.
  async originHandler() {
    const handle = {};
    for (const name of ["config", "state", "test"]) {
      handle[name] = (await this.#import(join(this.engine, "server", `handle-${name}.mjs`))).default;
    }
    return (request, response) => {
      const [kind, ...rest] = request.url.split("?")[0].split("/").slice(1);
      if (kind in handle) return handle[kind](rest, request, response);
      response.writeHead(404).end();
    };
  }
}

// How the suite's own pages judge: a test counts only when all that it depends on were passed ("yes" for a check).
export function verdict(byId, results, id) {
  const test = byId.get(id);
  const result = results[id];
  if (result === undefined) return "untested";
  for (const needed of test.depends_on ?? []) {
    if (!byId.has(needed) || verdict(byId, results, needed) !== "pass") return "needs another";
  }
  if (result === true) return "pass";
  return result[0] === "Setup" ? "setup" : "fail";
}

export const kindOf = (test) => test.kind ?? "required";
