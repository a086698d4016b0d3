#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/result.h"
#include "origin/catalog/records.h"
#include "origin/hls/presentation.h"
#include "origin/store/control_store.h"

namespace reelway::origin {

// The files of one width of small pictures, by absolute path.
struct ImageFiles {
  std::string sheets, bif;
};

// A published version as the packager needs it: parsed indexes and the files that they describe. Immutable; whoever
// holds the pointer may use it as long as he likes. Its files are never changed.
struct PublishedVersion {
  std::string title;
  std::string name;  // of the title, for people; never changes
  std::string version;
  hls::Presentation presentation;
  std::vector<std::string> files;       // absolute path of each presentation.tracks[i]'s track file
  std::vector<ImageFiles> image_files;  // of each presentation.images[i]
  std::int64_t duration_ms = 0;
  std::int64_t published_at_ms = 0;
  bool is_protected = false;  // handed out encrypted only
  std::string content_id;     // hex; differs whenever any byte of any track or index differs: for ETags
  std::string source_sha256;
  std::uint64_t index_memory_bytes = 0;
  std::shared_ptr<const PublishedVersion> whole;  // of a clip (published_clip.h): the film that it is a part of

  // Position of a track in presentation.tracks, texts or images, or -1.
  int track_position(std::string_view track_id) const;
  int text_position(std::string_view track_id) const;
  int image_position(std::string_view track_id) const;
};

// What an operator is told of one rendition.
struct Rendition {
  std::string id;  // "video/720"
  mp4::TrackKind kind = mp4::TrackKind::video;
  std::uint32_t width = 0, height = 0;
  std::string codecs;
  std::string name, language;   // of audio
  std::uint32_t channels = 0;   // of audio
  std::uint64_t bandwidth = 0;  // bits per second of the worst segment
  std::uint64_t average_bandwidth = 0;
  std::uint64_t frames = 0;  // samples
  std::int64_t duration_ms = 0;
  std::uint64_t bytes = 0;
};
std::vector<Rendition> renditions(const PublishedVersion& version);

// Who asks for a version's media: viewers get what is published, of titles that are on; a preview, which only an
// operator's token allows, also what is ready to be published, and of titles that are off.
enum class Audience : std::uint8_t { viewers, preview };

struct CatalogOptions {
  std::string data_dir;
  std::size_t cached_versions_max = 256;
  std::uint64_t cached_bytes_max = 256ull << 20;
  bool protect_new = false;  // versions made from now on
};

// Titles, their versions and the indexes of published ones. Blocking (store and disk) but for cached(). Thread-safe.
//
// The cache: a published version never changes, so an entry is valid for ever and is dropped only for room, least
// recently used first. Many threads that ask for one version load it once.
class Catalog {
 public:
  Catalog(ControlStore& store, const Clock& clock, CatalogOptions options);
  ~Catalog();

  // title_not_found, version_not_found (also while the version is building or has failed), title_not_published of a
  // title that was taken off, not_found_on_disk, index_malformed.
  Result<std::shared_ptr<const PublishedVersion>> published(std::string_view title, std::string_view version,
                                                            Audience audience = Audience::viewers);
  // The same from memory only, null when it is not there. Never blocks on the disk: fit for an event loop.
  std::shared_ptr<const PublishedVersion> cached(std::string_view title, std::string_view version,
                                                 Audience audience = Audience::viewers);
  // A version that was removed is forgotten; who holds it may go on with it as long as its files are open.
  void forget(std::string_view title, std::string_view version);

  Result<std::vector<TitleRecord>> titles();                                        // by title id
  Result<TitleRecord> title(std::string_view title);                                // title_not_found
  Result<std::vector<VersionRecord>> versions(std::string_view title);              // oldest first; title_not_found
  Result<VersionRecord> version(std::string_view title, std::string_view version);  // version_not_found
  // The published version that plays now: title_not_found, title_not_published.
  Result<std::string> current_version(std::string_view title);

  // Whether an ingest of this title could begin: title_id_invalid; title_exists unless new_version, or the title's
  // only ingests have failed; title_not_found for a new version of nothing.
  Result<void> check_new(std::string_view title, bool new_version);

  // A version whose original has this SHA-256, as "<title>/<version>", but of a failed one; empty for none. Looks at
  // every version: for the end of an upload, not for a request.
  Result<std::string> find_original(std::string_view sha256);

  // Folder of a version, "<data_dir>/titles/<title>/<version>", and of its original,
  // "<data_dir>/originals/<title>/<version>/source".
  std::string version_folder(std::string_view title, std::string_view version) const;
  std::string original_path(std::string_view title, std::string_view version) const;
  // Of a file that was delivered with it, "<data_dir>/originals/<title>/<version>/<name>".
  std::string delivered_path(std::string_view title, std::string_view version, std::string_view name) const;

  // For origin/jobs.
  struct NewVersion {
    std::string title;
    std::string name;  // of a new title; empty: the id
    std::string language;
    std::uint32_t units_per_segment = 3;
    bool new_version = false;
    UploadRecord upload;  // complete
    std::string job;
    std::int64_t priority = 0;
    // Delivered with the upload: each file, and its own upload, complete too.
    std::vector<std::pair<DeliveredFile, UploadRecord>> files{};
  };
  // Title, version and job records and the uploads' marks in one transaction; the reply is the queued job.
  // Errors as check_new(), and store_conflict when another ingest came first (nothing was written).
  Result<JobRecord> create(const NewVersion& request);
  // Makes a version visible, or only ready for somebody's approval, in one transaction with the end of its job. Its
  // folder is already in place. A title that was taken off stays off.
  Result<void> publish(const VersionRecord& version, const JobRecord& job,
                       VersionState outcome = VersionState::published);
  // Records a failed ingest: version and job, and the title if it has no published version.
  Result<void> fail(const JobRecord& job, const Error& error);

  // For origin/rights/publishing.h, after its transactions: what was taken off is served to no viewer from here on,
  // also from memory.
  void set_withdrawn(std::string_view title, bool withdrawn);
  // Forgets a ready version that was rejected.
  void drop_preview(std::string_view title, std::string_view version);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace reelway::origin
