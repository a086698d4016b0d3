#include "origin/ingest/manifest.h"

#include <gtest/gtest.h>

namespace reelway::origin {
namespace {

constexpr const char* kWhole = R"yaml(format: 1
title: sintel
name: "Sintel (2010)"
language: en
new_version: true
picture: {file: sintel.mov, sha256: 00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff}
audio:
  - {file: en.wav, language: en, layout: "5.1"}
  - {file: es.wav, language: es-419, role: description}
music_and_effects:
  - file: me.wav
subtitles:
  - {file: en.vtt, language: en, role: sdh}
artwork:
  - {file: poster.jpg}
)yaml";

TEST(Manifest, EveryPartIsRead) {
  const auto manifest = parse_manifest(kWhole, "delivery.yaml");
  ASSERT_TRUE(manifest.ok()) << describe(manifest.error());
  EXPECT_EQ(manifest->title, "sintel");
  EXPECT_EQ(manifest->name, "Sintel (2010)");
  EXPECT_TRUE(manifest->new_version);
  EXPECT_EQ(manifest->picture.sha256, "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
  ASSERT_EQ(manifest->audio.size(), 2u);
  EXPECT_EQ(manifest->audio[0].role, "main");
  EXPECT_EQ(manifest->audio[0].layout, "5.1");
  EXPECT_EQ(manifest->audio[1].language, "es-419");
  EXPECT_EQ(manifest->audio[1].line, 9);
  EXPECT_EQ(manifest->subtitles.at(0).role, "sdh");
  EXPECT_EQ(manifest->artwork.at(0).role, "poster");
  EXPECT_EQ(manifest->files().size(), 6u);
}

TEST(Manifest, APictureAloneIsEnough) {
  const auto manifest = parse_manifest("format: 1\ntitle: a\npicture:\n  file: a.mov\n", "m");
  ASSERT_TRUE(manifest.ok());
  EXPECT_EQ(manifest->files().size(), 1u);
}

// `text` is refused, and the complaint begins so.
void expect_refused(const std::string& text, const std::string& complaint) {
  const auto manifest = parse_manifest(text, "m");
  ASSERT_FALSE(manifest.ok()) << text;
  EXPECT_EQ(manifest.error().code, ErrorCode::manifest_invalid);
  EXPECT_TRUE(manifest.error().detail.starts_with(complaint)) << manifest.error().detail;
}

TEST(Manifest, MistakesNameTheirLine) {
  const std::string head = "format: 1\ntitle: a\npicture: {file: a.mov}\n";
  expect_refused("", "m:1: expected keys");
  expect_refused("- a\n", "m:1: expected keys");
  expect_refused("title: a\n", "m:1: format: expected 1");
  expect_refused("format: 1\ntitle: a\npicture: a.mov\n", "m:3: expected keys");
  expect_refused("format: 1\ntitle: a\ntitle: b\n", "m:3: title stands there twice");
  expect_refused(head + "extra: 1\n", "m:4: unknown key extra");
  expect_refused(head + "audio: {file: a.wav}\n", "m:4: audio: expected a list");
  expect_refused(head + "audio:\n  - {file: a.wav}\n", "m:5: language: expected a BCP 47 tag");
  expect_refused(head + "audio:\n  - {language: en}\n", "m:5: file: expected the name");
  expect_refused(head + "audio:\n  - {file: a.wav, language: en, role: commentary}\n", "m:5: audio: at least one file");
  expect_refused(head + "artwork:\n  - {file: .hidden}\n", "m:5: file: expected the name");
  expect_refused(head + "artwork:\n  - {file: [a, b]}\n", "m:5: file: expected a text");
  expect_refused(head + "artwork:\n  - {file: p.jpg, role: cover}\n", "m:5: role: expected poster, backdrop");
  expect_refused(head + "name: \"a\\nb\"\n", "m:4: name: expected at most");
  expect_refused(head + "  bad: [\n", "m:");
}

TEST(Manifest, AliasesOfAliasesEndAtALimit) {
  std::string text = "a: &a [x,x,x,x,x,x,x,x,x,x]\n";
  for (char name = 'b'; name <= 'f'; ++name) {
    const std::string before = std::string("*") + static_cast<char>(name - 1);
    text += std::string(1, name) + ": &" + name + " [" + before;
    for (int i = 0; i < 9; ++i) text += "," + before;
    text += "]\n";
  }
  expect_refused(text, "m:");
  std::string many = "format: 1\ntitle: a\npicture: {file: a.mov}\nartwork:\n";
  for (int i = 0; i < 100; ++i) many += "  - {file: " + std::to_string(i) + ".jpg}\n";
  expect_refused(many, "m:1: it names 101 files");
}

TEST(Manifest, ALanguageIsOneOfIso639InItsShortestForm) {
  EXPECT_EQ(primary_language("es-419"), "es");
  EXPECT_EQ(primary_language("yue"), "yue");
  for (const char* tag : {"", "spanish", "spa", "xx", "EN", "en_US", "en-", "en--US", "e"}) {
    EXPECT_EQ(primary_language(tag), "") << tag;
  }
}

}  // namespace
}  // namespace reelway::origin
