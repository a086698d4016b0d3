#include "origin/hls/session_tags.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace reelway::origin::hls {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(SessionTags, AreFewWithoutConfiguration) {
  const Presentation film;
  EXPECT_EQ(session_tags({.presentation = film}), "#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n");
  EXPECT_THAT(session_tags({.presentation = film, .title = "A \"film\""}),
              HasSubstr("#EXT-X-SESSION-DATA:DATA-ID=\"org.reelway.title\",VALUE=\"A 'film'\"\n"));
}

TEST(SessionTags, SteeringNamesThePathway) {
  const Presentation film;
  const std::string text = session_tags({.presentation = film, .steering = {"https://steer.example/v1", "edge"}});
  EXPECT_THAT(text, HasSubstr("#EXT-X-VERSION:7\n"));
  EXPECT_THAT(text, HasSubstr("#EXT-X-CONTENT-STEERING:SERVER-URI=\"https://steer.example/v1\",PATHWAY-ID=\"edge\"\n"));
}

TEST(SessionTags, VariablesOfTheSteeringServerAreDefinedFirst) {
  const Presentation film;
  const std::string text =
      session_tags({.presentation = film, .steering = {"https://steer.example/{$sid}?s={$sid}&c={$c}", "edge"}});
  EXPECT_THAT(text, HasSubstr("#EXT-X-VERSION:11\n"));
  EXPECT_THAT(text, HasSubstr("#EXT-X-DEFINE:QUERYPARAM=\"sid\"\n#EXT-X-DEFINE:QUERYPARAM=\"c\"\n"
                              "#EXT-X-CONTENT-STEERING:"));
}

TEST(SessionTags, BadSteeringIsRefused) {
  EXPECT_TRUE(check_steering({}).ok());
  EXPECT_TRUE(check_steering({"/steer?sid={$sid}", "edge-a.1"}).ok());
  for (const Steering& steering :
       {Steering{"https://a b", "edge"}, Steering{"https://a\"", "edge"}, Steering{"https://a/{$}", "edge"},
        Steering{"https://a/{$a b}", "edge"}, Steering{"https://a/{$a", "edge"}, Steering{"https://a", ""},
        Steering{"https://a", "edge a"}}) {
    EXPECT_EQ(check_steering(steering).error().code, ErrorCode::config_value_invalid) << steering.server_uri;
  }
}

}  // namespace
}  // namespace reelway::origin::hls
