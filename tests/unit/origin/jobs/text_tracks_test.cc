#include "origin/jobs/text_tracks.h"

#include <gtest/gtest.h>

#include "origin/text/language_name.h"
#include "origin/text/read_text.h"

namespace reelway::origin {
namespace {

text::TextSheet sheet_of(const std::string& cues) {
  Result<text::TextSheet> sheet = text::read_text("WEBVTT\n\n" + cues);
  EXPECT_TRUE(sheet.ok());
  return std::move(sheet).value();
}

std::vector<std::string> texts_of(const text::TextSheet& sheet) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < sheet.size(); ++i) texts.emplace_back(sheet.cue(i).payload);
  return texts;
}

// Apple's rule 5.8: whoever chooses full subtitles gets no forced ones.
TEST(TextTracks, FullSubtitlesGetTheForcedOnesThatTheyLack) {
  text::TextSheet full = sheet_of("00:01.000 --> 00:02.000\nspeech\n\n00:05.000 --> 00:06.000\nSIGN\n");
  const text::TextSheet forced = sheet_of(
      "STYLE\n::cue { color: red }\n\n00:03.000 --> 00:04.000\nDOOR\n\n00:05.500 --> 00:06.500\nSign\n\n"
      "00:06.000 --> 00:07.000\nLATER\n");
  ASSERT_TRUE(add_forced(full, forced).ok());
  EXPECT_EQ(texts_of(full), (std::vector<std::string>{"speech", "DOOR", "SIGN", "LATER"}));
  EXPECT_EQ(full.head(), "STYLE\n::cue { color: red }\n");
  const Bytes before = full.serialize();
  ASSERT_TRUE(add_forced(full, forced).ok());
  EXPECT_EQ(full.serialize(), before);
}

TEST(TextTracks, LanguagesHaveTheNamesThatTheirSpeakersKnow) {
  EXPECT_EQ(text::language_name("en"), "English");
  EXPECT_EQ(text::language_name("es-419"), "Espa\xC3\xB1ol (Latinoam\xC3\xA9rica)");
  EXPECT_EQ(text::language_name("de-CH"), "Deutsch (CH)");
  EXPECT_EQ(text::language_name("tlh"), "tlh");
}

}  // namespace
}  // namespace reelway::origin
