#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <thread>

#include "origin/ingest/import_source.h"
#include "origin/ingest/import_stream.h"
#include "origin/ingest/imports.h"

namespace reelway::origin {

// Model. An import's truth is its record. `queue` says which this process still has to run, `running` what it runs.
// The files of an import lie in imports/; the last step links the whole one into uploads/ under the upload's id, and
// one transaction then makes the upload complete and the import done. A crash between the two leaves a file in uploads/
// that Uploads::recover() removes, and the one in imports/, from which the step is done again.
struct Imports::State {
  struct Running {
    Patience patience;
    std::atomic<std::uint64_t> received{0};
    bool cancelled = false;  // guarded by State::mutex
  };
  // Two clients of one store: one for what somebody waits for, which gives up soon, one for the transfers.
  struct Store {
    ObjectStoreConfig config;
    ObjectStore questions;
    ObjectStore transfers;
    Store(const ObjectStoreConfig& config, const Clock& clock, Random& random);
  };

  ControlStore& store;
  Catalog& catalog;
  const Uploads& uploads;
  const Clock& clock;
  Random& random;
  const ImportsOptions options;
  std::vector<std::unique_ptr<Store>> stores;
  WebFilms web_questions, web_transfers;  // the same for URLs
  Patience foreground;                    // of the questions
  std::mutex beginning;                   // one begin() at a time looks for its like and writes its record

  mutable std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::string> queue;  // guarded by mutex, as all below
  std::map<std::string, std::shared_ptr<Running>, std::less<>> running;
  std::uint64_t done = 0, failed = 0;
  std::uint64_t received_before = 0;  // by runs that have ended
  std::size_t questions = 0;
  bool stopping = false;
  std::vector<std::thread> threads;  // of start() and stop()

  State(ControlStore& store_in, Catalog& catalog_in, const Uploads& uploads_in, const Clock& clock_in,
        Random& random_in, ImportsOptions options_in);

  std::string folder() const { return options.data_dir + "/imports"; }
  std::string path_of(const ImportRecord& record) const { return folder() + "/" + record.import; }

  Result<Store*> find_store(const std::string& name);
  // Runs one question to a store within the limit on their number.
  template <class Answer>
  Result<Answer> ask(const std::function<Result<Answer>()>& question);

  // A record with all that the server says of what is asked for.
  Result<ImportRecord> describe_object(const ImportRequest& request);
  Result<ImportRecord> describe_url(const ImportRequest& request);
  Result<ImportRecord> load(std::string_view import);
  Result<std::vector<ImportRecord>> load_all();
  // Only from what was read: two that change one record at once are told apart.
  Result<void> replace(const ImportRecord& before, const ImportRecord& after,
                       const std::optional<UploadRecord>& upload = std::nullopt);
  Result<std::optional<ImportRecord>> find_like(const ImportRecord& record);
  Result<void> check_room(std::uint64_t bytes) const;
  void enqueue(const std::string& import);
  ImportStatus status_of(ImportRecord record) const;

  // import_work.cc: the threads
  Result<void> recover();
  void work();
  void run(const std::string& import);
  Result<std::unique_ptr<ImportSource>> open_source(const ImportRecord& record);
  Result<StreamedFilm> fetch(const ImportRecord& record, Running& live);
  Result<StreamedFilm> fetch_parts(const ImportRecord& record, Running& live);
  Result<StreamedFilm> fetch_stream(const ImportRecord& record, Running& live);
  Result<void> hand_over(const ImportRecord& record, const StreamedFilm& film);
  Result<void> drop_cancelled(const std::string& import, const Error& conflict);
  Result<void> end(const ImportRecord& record, const Error& error, bool was_cancelled);
};

template <class Answer>
Result<Answer> Imports::State::ask(const std::function<Result<Answer>()>& question) {
  {
    const std::lock_guard hold(mutex);
    if (questions >= options.questions_max) {
      return Error{ErrorCode::overloaded, Side::self, true,
                   std::to_string(questions) + " questions to object stores wait for their answers"};
    }
    ++questions;
  }
  Result<Answer> answer = question();
  const std::lock_guard hold(mutex);
  --questions;
  return answer;
}

}  // namespace reelway::origin
