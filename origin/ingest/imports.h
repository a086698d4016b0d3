#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/result.h"
#include "origin/catalog/catalog.h"
#include "origin/ingest/import_record.h"
#include "origin/ingest/upload.h"
#include "origin/ingest/web_film.h"
#include "origin/objects/object_store.h"

namespace reelway::origin {

struct ImportsOptions {
  std::string data_dir;
  std::vector<ObjectStoreConfig> stores;
  WebRules web;
  std::uint64_t object_bytes_max = 512ull << 30;
  std::uint64_t free_bytes_min = 256ull << 20;  // what must stay free on the disk
  std::size_t objects_at_once = 2;
  std::size_t parts_at_once = 4;           // of each object
  std::uint64_t part_bytes = 16ull << 20;  // more for an object of more than 100,000 such parts
  std::size_t unfinished_max = 10'000;     // more are refused with overloaded
  std::size_t questions_max = 2;           // listings and the like at once; each holds a worker of the loop
};

struct ImportRequest {
  std::string url;    // of http or https; empty: an object of a store
  std::string store;  // may be empty when one is configured
  std::string bucket;
  std::string key;
  std::string sha256;  // that the film must have, hex, instead of what the store says; may be empty
  std::string title;
  bool new_version = false;
};

struct ImportStatus {
  ImportRecord record;
  bool running = false;              // queued, and at work
  std::uint64_t received_bytes = 0;  // of a running or a done one
};

// Objects of S3-compatible stores and films at URLs on their way to uploads, on threads of their own. What is held
// survives a crash, part by part (of a URL that gives ranges); a finished one is an upload like any other: complete,
// waiting for a title to take it. Blocking, thread-safe.
class Imports {
 public:
  Imports(ControlStore& store, Catalog& catalog, const Uploads& uploads, const Clock& clock, Random& random,
          ImportsOptions options);
  ~Imports();  // stop()

  // Removes what is left of ended imports, takes up unfinished ones, starts the threads. Once, after
  // Uploads::recover(): what is being handed over lies in its folder.
  Result<void> start();
  // Breaks off what is in flight; it stays recorded as unfinished. Idempotent.
  void stop();

  std::vector<const ObjectStoreConfig*> stores() const;

  // Errors of both: object_store_not_configured, overloaded, those of ObjectStore.
  Result<ListPage> list(const std::string& store, const std::string& bucket, const ListRequest& request);
  // Asks the server for the film first, so that whatever is wrong shows here. An unfinished import of the same content
  // for the same title, or one whose upload no title has taken, is the answer instead of a second one. Further errors:
  // those of WebFilms, object_not_found, object_store_denied, title_id_invalid, title_exists, title_not_found,
  // upload_too_large, disk_full.
  Result<ImportRecord> begin(const ImportRequest& request);

  Result<ImportStatus> status(std::string_view import);  // import_not_found
  Result<std::vector<ImportStatus>> all();               // newest first
  // Ended ones stay as they are.
  Result<ImportRecord> cancel(std::string_view import);
  // A failed one goes on with what it holds.
  Result<ImportRecord> resume(std::string_view import);

  struct Counters {
    std::size_t queued = 0, running = 0;
    std::uint64_t done = 0, failed = 0, received_bytes = 0;
  };
  Counters counters() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace reelway::origin
