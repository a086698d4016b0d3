#include "origin/request/presentation_view.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace reelway::origin {
namespace {

hls::Track track(const std::string& id) {
  auto index = std::make_shared<mp4::TrackIndex>();
  index->kind = id.starts_with("video/") ? mp4::TrackKind::video : mp4::TrackKind::audio;
  return {id, "", false, index};
}

hls::Presentation film() {
  hls::Presentation made;
  for (const char* id :
       {"video/1080", "video/480-2", "video/480", "video/240", "audio/de-aac", "audio/en-aac", "audio/en-ac3"}) {
    made.tracks.push_back(track(id));
  }
  return made;
}

std::vector<std::string> ids(const hls::Presentation& presentation, const std::string& view) {
  const auto narrowed = presentation_in_view(presentation, access::parse_view_id(view).value());
  EXPECT_TRUE(narrowed.ok()) << view;
  std::vector<std::string> found;
  for (const hls::Track& kept : narrowed->tracks) found.push_back(kept.id);
  return found;
}

ErrorCode code(const hls::Presentation& presentation, const std::string& view) {
  const auto narrowed = presentation_in_view(presentation, access::parse_view_id(view).value());
  EXPECT_FALSE(narrowed.ok()) << view;
  return narrowed.error().code;
}

using Ids = std::vector<std::string>;

TEST(PresentationView, KeepsWhatTheEdgeWouldServe) {
  EXPECT_EQ(ids(film(), "all").size(), 7u);
  EXPECT_EQ(ids(film(), "h480"),
            (Ids{"video/480-2", "video/480", "video/240", "audio/de-aac", "audio/en-aac", "audio/en-ac3"}));
  EXPECT_EQ(ids(film(), "h479.de.fr"), (Ids{"video/240", "audio/de-aac"}));
  EXPECT_EQ(ids(film(), "en"),
            (Ids{"video/1080", "video/480-2", "video/480", "video/240", "audio/en-aac", "audio/en-ac3"}));
}

TEST(PresentationView, SubtitlesAreNarrowedAsSoundIs) {
  hls::Presentation made = film();
  for (const char* id : {"subtitles/en", "subtitles/en-2", "subtitles/es"}) {
    made.texts.emplace_back();
    made.texts.back().id = id;
  }
  made.images.push_back({"images/320", nullptr});
  const auto left = [&](const char* view) {
    Ids found;
    const auto narrowed = presentation_in_view(made, access::parse_view_id(view).value());
    for (const auto& text : narrowed->texts) found.push_back(text.id);
    return found;
  };
  EXPECT_EQ(left("all").size(), 3u);
  EXPECT_EQ(left("en"), (Ids{"subtitles/en", "subtitles/en-2"}));
  EXPECT_EQ(left("de"), Ids{});
  EXPECT_EQ(presentation_in_view(made, access::parse_view_id("h240.de").value())->images.size(), 1u);
}

TEST(PresentationView, NothingLeftIsRefusedByName) {
  EXPECT_EQ(code(film(), "h239"), ErrorCode::rendition_not_in_offer);
  EXPECT_EQ(code(film(), "fr"), ErrorCode::language_not_in_offer);
  EXPECT_EQ(code(film(), "h100.fr"), ErrorCode::rendition_not_in_offer);
}

TEST(PresentationView, ASilentFilmHasNoLanguageToRefuse) {
  hls::Presentation silent;
  silent.tracks.push_back(track("video/480"));
  EXPECT_EQ(ids(silent, "h480.fr"), (Ids{"video/480"}));
}

}  // namespace
}  // namespace reelway::origin
