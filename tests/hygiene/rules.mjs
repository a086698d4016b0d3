// The house rules as data: which folder may include which, which library lives where, how large things may grow.

// A folder may include itself and what is listed. Order is the order of dependence.
export const mayInclude = {
  "common/base": [],
  "common/http": ["common/base"],
  "common/access": ["common/base"],
  "common/rights": ["common/base"],
  "common/config": ["common/base"],
  "common/telemetry": ["common/base"],
  "common/cache": ["common/base"],
  "common/ring": ["common/base"],
  "common/transport": ["common/base", "common/http", "common/ring"],
  origin: ["common", "origin"],
  "origin/mp4": ["common/base"],
  "origin/text": ["common/base"],
  "origin/hls": ["common/base", "origin/mp4", "origin/text"],
  edge: ["common", "edge"],
  "edge/policy": ["common/base", "common/http", "common/access", "common/rights"],
  loadtest: ["common", "loadtest"],
  cli: ["common", "cli"],
  tests: ["common", "origin", "edge", "loadtest", "cli", "tests"],
};

// One library, one place: a header may be included only below these folders.
export const libraryHome = [
  { header: /^<liburing/, folders: ["common/ring"] },
  { header: /^<uv\.h>/, folders: ["origin/net", "origin/io"] },
  { header: /^[<"]llhttp\.h/, folders: ["common/http"] },
  { header: /^<rocksdb\//, folders: ["edge/store", "edge/replica", "origin/store"] },
  { header: /^<openssl\//, folders: ["common/access", "common/transport", "origin/ingest", "origin/objects", "origin/fleet", "origin/hls", "origin/protection"] },
  { header: /^<yaml-cpp\//, folders: ["common/config"] },
  { header: /^<(prometheus\/|spdlog\/(?!fmt\/))/, folders: ["common/telemetry"] },
  { header: /^<curl\//, folders: ["cli", "origin/client"] },
  { header: /^<zlib\.h>/, folders: ["common/http", "origin/objects"] },
  { header: /^<pugixml\.hpp>/, folders: ["origin/objects", "origin/protection", "origin/text"] },
  { header: /^<(seccomp|sys\/capability|linux\/landlock)\.h>/, folders: ["origin/transcode"] },
  { header: /^<CLI\//, folders: ["cli", "loadtest"] },
];

export const fileLinesMax = 600;
export const functionLinesMax = 70;

// Larger ones that exist already, with the size they may not exceed. The list only gets shorter.
export const grandfathered = {
  files: {},
  functions: {},
};

export const leftoverNotes = /\b(TODO|FIXME|XXX|HACK)\b/;
export const forbiddenFileNames = /(^|\/)(utils?|helpers?|misc|common)\.(h|cc|mjs|js|py)$/;
