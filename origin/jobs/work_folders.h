#pragma once

#include <string>
#include <string_view>

#include "origin/jobs/job_board.h"

namespace reelway::origin {

// Where work in progress lies: "<data_dir>/work/<job>/<part>-<token>/" for what one claim makes, so that a worker that
// has lost its claim never writes where another one does, and "<data_dir>/work/<job>/version/" for what they become.
class WorkFolders {
 public:
  explicit WorkFolders(const std::string& data_dir) : root_(data_dir + "/work") {}

  const std::string& root() const { return root_; }
  std::string job(std::string_view job) const { return root_ + "/" + std::string(job); }
  std::string part(std::string_view job, std::string_view part, Revision token) const {
    return this->job(job) + "/" + std::string(part) + "-" + std::to_string(token);
  }
  std::string part(const ClaimId& claim) const { return part(claim.job, claim.part, claim.token); }
  // What bit rates are chosen from.
  std::string samples(std::string_view job) const { return this->job(job) + "/samples"; }
  // Small pictures, as they are made.
  std::string images(std::string_view job) const { return this->job(job) + "/images"; }
  std::string version(std::string_view job) const { return this->job(job) + "/version"; }

 private:
  std::string root_;
};

}  // namespace reelway::origin
