#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>

#include "common/http/message.h"
#include "origin/catalog/catalog.h"
#include "origin/fleet/credentials.h"
#include "origin/fleet/edge_registry.h"
#include "origin/fleet/signing_keys.h"
#include "origin/hls/iframes.h"
#include "origin/hls/multivariant_playlist.h"
#include "origin/hls/presentation.h"
#include "origin/hls/segment_maker.h"
#include "origin/io/file_reader.h"
#include "origin/protection/content_keys.h"
#include "origin/request/clip_versions.h"
#include "origin/request/image_source.h"
#include "origin/request/media_path.h"
#include "origin/request/metrics.h"
#include "origin/request/rendered_cache.h"
#include "origin/request/replica_routes.h"
#include "origin/request/segment_facts.h"
#include "origin/request/stepped_request.h"

namespace reelway::origin {

// What requests on the media port share. All of it outlives them.
struct MediaServices {
  EventLoop& loop;
  Catalog& catalog;
  FileReader& files;
  SigningKeys& keys;
  const EdgeCredentials& edges;
  RenderedCache& rendered;
  SegmentFactsCache& segment_facts;
  ClipVersions& clips;
  const hls::Steering& steering;
  RequestCounters& counters;
  EdgeRegistry& registry;
  const ReplicaServices& replica;
  ContentKeys& content_keys;
};

// One request of an edge: GET or HEAD of /<title>/<version>/<resource> or of the signing keys, or one of its replica.
class MediaRequest final : public SteppedRequest<MediaRequest> {
 public:
  MediaRequest(MediaServices& services, Responder& responder);

  static std::span<const Step<MediaRequest>> steps();

  void begin(const http::RequestHead& head) override;
  void body(ByteView) override {}
  void body_end() override {}
  void body_cut(const Error& error) override;

  Verdict fail(const Error& error);

 private:
  Verdict authenticate();
  Verdict check_method();
  Verdict serve_keys();
  Verdict serve_replica();
  Verdict parse();
  Verdict find_version();
  Verdict check_offered();
  Verdict find_clip();
  Verdict find_track();
  Verdict find_keys();
  Verdict serve_key();
  Verdict narrow();
  Verdict serve_rendered();
  Verdict plan();
  Verdict open_file();
  Verdict warm_range();
  Verdict measure();
  Verdict serve_segment();

  Verdict plan_image();
  Verdict plan_computed();
  Verdict plan_iframes();
  hls::SegmentOrder order(ByteView notes) const;
  Verdict serve_computed();

  void hear_edge();
  void count(MediaKind kind);
  Verdict send(Response response, std::uint64_t body_bytes);
  Response not_modified(const std::string& etag) const;
  Verdict serve_form(const Rendered& rendered);
  Verdict serve_iframes();
  bool client_has(const std::string& etag) const;
  const hls::Track& track() const;
  std::string content_type() const;

  MediaServices& services_;
  const http::RequestHead* head_ = nullptr;  // the connection's, until answered
  MediaKind kind_ = MediaKind::other;
  std::string path_;                             // owns what the views below look into
  const ReplicaRoute* replica_route_ = nullptr;  // null: another kind of request
  std::optional<QueryFields> query_;             // of a replica route
  std::optional<Result<Response>> served_;       // by a replica route, on a worker
  MediaPath parts_;
  access::Clip clip_;  // that the path lies in
  hls::Resource resource_;
  std::shared_ptr<const PublishedVersion> version_;
  std::shared_ptr<const PublishedVersion> made_clip_;
  std::size_t track_ = 0;                     // in the presentation's tracks, texts or images
  access::View view_;                         // that the multivariant playlist is for
  std::string rendered_key_;                  // path and view: what a rendered text differs by
  hls::SegmentPlan plan_;                     // of a computed segment: the range that it is made from
  std::optional<ImageSource> image_;          // of small pictures
  std::vector<hls::FilePiece> pieces_;        // of a file of I-frames
  std::unique_ptr<hls::SegmentMaker> maker_;  // of a computed segment
  std::optional<SegmentFacts> facts_;         // of a computed segment
  std::shared_ptr<const VersionKeys> keys_;   // of a protected packaging
  std::optional<hls::ContentKey> key_;        // of the track, in a protected packaging
  std::string etag_;                          // of the planned segment
  std::shared_ptr<TrackFile> file_;
  bool warmed_ = false;
  bool refreshed_ = false;
  std::optional<Error> error_;  // of a worker's step
  std::shared_ptr<const Rendered> made_;
};

}  // namespace reelway::origin
