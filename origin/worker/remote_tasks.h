#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "origin/jobs/task_source.h"
#include "origin/worker/film_cache.h"
#include "origin/worker/work_client.h"

namespace reelway::origin {

// Work from an origin elsewhere, by its work port.
class RemoteTasks final : public TaskSource {
 public:
  struct Options {
    std::string worker;  // this machine's name
    std::string folder;  // for parts being made; what is in it at start is removed
  };
  RemoteTasks(const WorkClient& client, FilmCache& films, Options options)
      : client_(client), films_(films), options_(std::move(options)) {}

  Result<void> open();
  void stop() { patience_.give_up(); }  // fetches end; next() gives nothing any more

  Result<std::optional<Work>> next() override;
  Result<void> renew(const Work& work, double progress) override;
  Result<void> complete(const Work& work, const TaskOutcome& outcome) override;
  Result<void> fail(const Work& work, const Error& error, const JobCost& cost) override;
  Result<void> release(const Work& work) override;

 private:
  Result<void> fetch(Work& work);  // the film, and the folder
  Result<void> send_files(const Work& work, const TaskOutcome& outcome) const;
  Result<nlohmann::json> say(const Work& work, const char* what, const nlohmann::json& body) const;
  // Repeats what the origin has not answered, as long as the claim may still stand.
  template <class Action>
  Result<void> insist(const Work& work, Action action) const;
  void forget(const Work& work);

  const WorkClient& client_;
  FilmCache& films_;
  const Options options_;
  mutable Patience patience_;  // until stop()
  std::mutex mutex_;
  std::map<Revision, std::shared_ptr<const std::string>> held_films_;  // by claim; guarded by mutex_
};

}  // namespace reelway::origin
