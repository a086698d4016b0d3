// A memory cgroup, page cache included, for the rows in which the data must not fit: version 2 where it is the one in use,
// else version 1. Needs root.

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const mount = "/sys/fs/cgroup";

export class MemoryLimit {
  constructor(name, bytes) {
    const unified = existsSync(join(mount, "cgroup.controllers"));
    this.folder = join(mount, unified ? "" : "memory", `reelway-bench-${process.pid}-${name}`);
    try {
      mkdirSync(this.folder);
      writeFileSync(join(this.folder, unified ? "memory.max" : "memory.limit_in_bytes"), String(bytes));
    } catch (error) {
      throw new Error(`this row limits the servers' memory by a cgroup, which needs root and the memory controller: ${error.message}`);
    }
  }

  // A command that starts another one inside.
  get wrapper() { return ["sh", "-c", 'echo $$ > "$0" && exec "$@"', join(this.folder, "cgroup.procs")]; }

  usedBytes() {
    const file = ["memory.current", "memory.usage_in_bytes"].map((name) => join(this.folder, name)).find(existsSync);
    return Number(readFileSync(file, "utf8"));
  }

  remove() {
    try { rmdirSync(this.folder); } catch { /* a process is still in it; it goes with the machine's next start */ }
  }
}
