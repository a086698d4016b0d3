#include "origin/storage/recall.h"

#include <unistd.h>

#include <cerrno>

#include "origin/ingest/durable_files.h"

namespace reelway::origin {

// The name comes before the record: a crash in between leaves a file that no upload owns, which the next start removes.
Result<UploadRecord> upload_of_original(ControlStore& store, const Catalog& catalog, const Uploads& uploads,
                                        const Clock& clock, Random& random, const VersionRecord& version) {
  UploadRecord upload;
  upload.upload = random.hex_id();
  upload.filename = version.title + "-" + version.version;
  upload.size_bytes = version.source_bytes;
  upload.title = version.title;
  upload.new_version = true;
  upload.state = UploadState::complete;
  upload.sha256 = version.sha256;
  upload.created_at_ms = upload.completed_at_ms = clock.wall_ms();
  const std::string from = catalog.original_path(version.title, version.version);
  const std::string to = uploads.part_path(upload.upload);
  if (::link(from.c_str(), to.c_str()) != 0) return system_error("link", from + " to " + to, errno);
  REELWAY_TRY(sync_folder(to.substr(0, to.rfind('/'))));
  Txn txn;
  txn.compares = {Compare::absent(upload_key(upload.upload))};
  txn.then_operations = {Operation::put(upload_key(upload.upload), to_json(upload))};
  const Result<TxnReply> reply = store.txn(txn);
  if (!reply.ok()) return reply.error();
  return upload;
}

}  // namespace reelway::origin
