#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "origin/quality/inspect.h"
#include "tests/support/temporary_folder.h"

namespace reelway::origin {

// Makes films with FFmpeg and inspects them in the sandbox.
class InspectionTest : public testing::Test {
 protected:
  // A moving picture without fine lines, which would look interlaced, and a tone on each side that swings between them.
  static constexpr const char* kPicture = "smptebars=s=320x240:r=25";
  static constexpr const char* kSound =
      "aevalsrc='0.12*sin(2*PI*330*t)*(0.5+0.4*sin(2*PI*0.31*t))|0.12*sin(2*PI*440*t)*(0.5-0.4*sin(2*PI*0.31*t))"
      ":s=48000'";

  struct Film {
    std::string seconds = "12";
    std::string picture_filter = "null";
    std::string sound_filter = "anull";
    std::string before_sound = {};  // options of the sound's input
    std::string options = "-g 50";
    std::string name = "film.mp4";
  };

  std::string make(const std::string& arguments, const std::string& name) {
    const std::string path = folder_.at(name);
    const std::string command = "/usr/bin/ffmpeg -v error -nostdin -y " + arguments + " " + path;
    EXPECT_EQ(std::system(command.c_str()), 0) << command;
    return path;
  }

  std::string make(const Film& film) {
    return make("-f lavfi -i \"" + std::string(kPicture) + ":d=" + film.seconds + ",rotate=t/3," + film.picture_filter +
                    "\" " + film.before_sound + " -f lavfi -i \"" + kSound + ",atrim=end=" + film.seconds + "," +
                    film.sound_filter +
                    "\" -map 0:v -map 1:a -c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac -b:a 128k "
                    "-metadata:s:a:0 language=eng " +
                    film.options,
                film.name);
  }

  TranscodeOptions options() const {
    TranscodeOptions options;
    options.sandbox.confine_program = std::string(REELWAY_BIN_DIR) + "/reelway-confine";
    return options;
  }

  QualityReport inspected(const std::string& path) {
    const StopSignal stop;
    const auto facts = probe(path, options(), stop);
    EXPECT_TRUE(facts.ok()) << describe(facts.error());
    if (!facts.ok()) return {};
    double told = 0;
    const auto report = inspect(path, *facts, rules_, options(), folder_.at("."), stop, [&](double part) {
      EXPECT_GE(part, told);
      told = part;
    });
    EXPECT_TRUE(report.ok()) << describe(report.error());
    if (!report.ok()) return {};
    EXPECT_EQ(told, 1);
    return *report;
  }

  static std::vector<Finding> of(const QualityReport& report, Rule rule) {
    std::vector<Finding> found;
    for (const Finding& finding : report.findings) {
      if (finding.rule == rule) found.push_back(finding);
    }
    return found;
  }

  static std::string listed(const QualityReport& report) {
    std::string text;
    for (const Finding& finding : report.findings) {
      text += finding.id + " " + std::string(name_of(finding.severity)) + " " + std::to_string(finding.from_s) + "-" +
              std::to_string(finding.to_s) + " " + std::to_string(finding.measured) + ": " + finding.explanation + "\n";
    }
    return text;
  }

  // Exactly one finding of the rule, at this place.
  static void expect_one(const QualityReport& report, Rule rule, double from_s, double to_s) {
    const std::vector<Finding> found = of(report, rule);
    ASSERT_EQ(found.size(), 1) << rule_info(rule).name << "\n" << listed(report);
    EXPECT_NEAR(found[0].from_s, from_s, 0.2) << listed(report);
    EXPECT_NEAR(found[0].to_s, to_s, 0.2) << listed(report);
    EXPECT_FALSE(found[0].picture.empty()) << listed(report);
  }

  TemporaryFolder folder_;
  QualityRules rules_;
};

}  // namespace reelway::origin
