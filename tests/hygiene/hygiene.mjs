// Repository hygiene as a test. `node tests/hygiene/hygiene.mjs` checks the tree and prints every breach with its
// remedy; `--canary` proves that each check finds a breach when there is one.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as rules from "./rules.mjs";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");

function trackedFiles() {
  const list = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], { cwd: root, encoding: "utf8" });
  return list.split("\n").filter((name) => name && existsSync(join(root, name)));
}

const isSource = (name) => /\.(cc|h)$/.test(name);
const isScript = (name) => /\.(mjs|js|sh|py)$/.test(name) || name === "dev";

// Replaces comments and literals by blanks of the same length, so that lines and braces stay where they are.
export function blankOut(text) {
  const literal = /R"([^\s()\\]{0,16})\([\s\S]*?\)\1"|\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'/g;
  return text.replace(literal, (match) => match.replace(/[^\n]/g, " "));
}

function folderRule(file) {
  for (let folder = dirname(file); folder !== "."; folder = dirname(folder)) {
    if (rules.mayInclude[folder]) return { folder, allowed: rules.mayInclude[folder] };
  }
  return null;
}

const below = (path, folder) => path === folder || path.startsWith(folder + "/");

export function checkIncludes(file, text) {
  const breaches = [];
  const rule = folderRule(file);
  text.split("\n").forEach((line, index) => {
    const match = /^\s*#\s*include\s+([<"][^>"]+[>"])/.exec(line);
    if (!match) return;
    const where = `${file}:${index + 1}`;
    const target = match[1].slice(1, -1);
    if (match[1].startsWith('"') && rule) {
      const allowed = [rule.folder, ...rule.allowed];
      if (!allowed.some((folder) => below(dirname(target), folder))) {
        breaches.push(`${where}: ${rule.folder} may not include ${target}; it may include ${allowed.join(", ")} (tests/hygiene/rules.mjs)`);
      }
    }
    for (const home of rules.libraryHome) {
      if (home.header.test(match[1]) && !file.startsWith("tests/") && !home.folders.some((folder) => below(dirname(file), folder))) {
        breaches.push(`${where}: ${match[1]} belongs in ${home.folders.join(" or ")} only; go through that folder's interface`);
      }
    }
  });
  return breaches;
}

// Function bodies by brace matching: a '{' that follows a parameter list (and what may stand between).
export function functionSizes(text) {
  const code = blankOut(text);
  const sizes = [];
  const open = [];
  let depth = 0;
  let statementStart = 0;
  for (let at = 0; at < code.length; ++at) {
    const c = code[at];
    if (c === ";" && !insideParentheses(code, statementStart, at)) statementStart = at + 1;
    if (c === "{") {
      const head = code.slice(statementStart, at).trim();
      const control = /^(?:\}?\s*else\b|if\b|for\b|while\b|switch\b|do\b|try\b|catch\b|namespace\b|(?:template\s*<[^{]*>\s*)?(?:class|struct|enum|union)\b|extern\b)/.test(head);
      const isFunction = !control && /\)\s*(?:const\b|noexcept\b|override\b|final\b|&&?|->[^{};]+|:[^{};]*|requires[^{};]*|\s)*$/.test(head) && !open.some((o) => o.isFunction);
      open.push({ isFunction, at, name: functionName(head) });
      ++depth;
      statementStart = at + 1;
    } else if (c === "}") {
      const start = open.pop();
      --depth;
      statementStart = at + 1;
      if (start?.isFunction) {
        const firstLine = code.slice(0, start.at).split("\n").length;
        const lines = code.slice(start.at, at).split("\n").length;
        sizes.push({ name: start.name, line: firstLine, lines });
      }
    }
  }
  return sizes;
}

function insideParentheses(code, from, to) {
  let level = 0;
  for (let at = from; at < to; ++at) {
    if (code[at] === "(") ++level;
    if (code[at] === ")") --level;
  }
  return level > 0;
}

function functionName(head) {
  const match = /([\w:~]+|operator\S+)\s*\(/.exec(head.replace(/\s+/g, " "));
  return match ? match[1] : "?";
}

export function checkSizes(file, text) {
  const breaches = [];
  const lines = text.split("\n").length;
  const fileMax = rules.grandfathered.files[file] ?? rules.fileLinesMax;
  if (lines > fileMax) breaches.push(`${file}: ${lines} lines, at most ${fileMax}; look for the concept that wants a file of its own`);
  if (isSource(file)) {
    for (const found of functionSizes(text)) {
      const max = rules.grandfathered.functions[`${file}:${found.name}`] ?? rules.functionLinesMax;
      if (found.lines > max) breaches.push(`${file}:${found.line}: function ${found.name} has ${found.lines} lines, at most ${max}; keep decisions here, move work out`);
    }
  }
  return breaches;
}

export function checkNotes(file, text) {
  if (file.startsWith("tests/hygiene/")) return [];
  return text.split("\n").flatMap((line, index) =>
    rules.leftoverNotes.test(line) ? [`${file}:${index + 1}: a leftover note; do it, or write an issue`] : []);
}

export function checkHeader(file, text) {
  if (!file.endsWith(".h")) return [];
  return /^#pragma once$/m.test(text) ? [] : [`${file}: a header begins with #pragma once`];
}

export function checkName(file) {
  return rules.forbiddenFileNames.test(file) ? [`${file}: name the concept, not "${file.match(rules.forbiddenFileNames)[2]}"`] : [];
}

export function checkLinks(file, text, exists) {
  if (!file.endsWith(".md")) return [];
  return [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)].flatMap((match) => {
    const target = join(dirname(file), match[1]);
    return exists(target) ? [] : [`${file}: the link to ${match[1]} leads nowhere`];
  });
}

// The release is written twice, for CMake and for the programs: it must be the same.
export function checkVersion(cmake, header) {
  const project = /project\(reelway VERSION ([\d.]+)/.exec(cmake)?.[1];
  const program = /kVersion = "([\d.]+)"/.exec(header)?.[1];
  return project && project === program ? [] : [`CMakeLists.txt says version ${project}, common/base/version.h ${program}; write the same`];
}

function checkTree() {
  const read = (file) => readFileSync(join(root, file), "utf8");
  const breaches = checkVersion(read("CMakeLists.txt"), read("common/base/version.h"));
  for (const file of trackedFiles()) {
    breaches.push(...checkName(file));
    if (!isSource(file) && !isScript(file) && !file.endsWith(".md")) continue;
    const text = read(file);
    if (isSource(file)) breaches.push(...checkIncludes(file, text), ...checkHeader(file, text));
    if (isSource(file) || isScript(file)) breaches.push(...checkSizes(file, text), ...checkNotes(file, text));
    breaches.push(...checkLinks(file, text, (target) => existsSync(join(root, target))));
  }
  return breaches;
}

// Each check must find the breach in its sample: a check that never fires is worse than none.
function canary() {
  const longFunction = `int f(int a) {\n${"  a += 1;\n".repeat(80)}  return a;\n}\n`;
  const samples = {
    "include direction": checkIncludes("common/http/a.cc", '#include "edge/store/store.h"\n'),
    "edge and origin apart": checkIncludes("edge/net/a.cc", '#include "origin/net/loop.h"\n'),
    "library home": checkIncludes("edge/net/a.cc", "#include <liburing.h>\n"),
    "function size": checkSizes("a.cc", longFunction),
    "function size after a class": checkSizes("a.cc", `class A {\n public:\n  void g() const {\n${"  h();\n".repeat(80)}  }\n};\n`),
    "file size": checkSizes("a.cc", "\n".repeat(700)),
    "leftover notes": checkNotes("a.cc", "// TO" + "DO: later\n"),
    "pragma once": checkHeader("a.h", "int a;\n"),
    "names": checkName("common/utils.h"),
    "version": checkVersion("project(reelway VERSION 1.0.0", 'kVersion = "1.0.1"'),
    "links": checkLinks("docs/a.md", "[x](gone.md)", () => false),
  };
  const clean = {
    "short function": checkSizes("a.cc", "int f() {\n  return 1;\n}\n"),
    "allowed include": checkIncludes("edge/net/a.cc", '#include "common/ring/ring.h"\n'),
  };
  const silent = Object.entries(samples).filter(([, found]) => found.length === 0).map(([name]) => `${name}: the breach was not found`);
  const noisy = Object.entries(clean).filter(([, found]) => found.length > 0).map(([name]) => `${name}: a breach was invented`);
  return [...silent, ...noisy];
}

const problems = process.argv.includes("--canary") ? canary() : checkTree();
for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? "hygiene: clean" : `hygiene: ${problems.length} to mend, from ${relative(process.cwd(), root) || "."}`);
process.exit(problems.length === 0 ? 0 : 1);
