#include "cli/quality_report.h"

#include <gtest/gtest.h>

namespace reelway::cli {
namespace {

Json report() {
  return {{"title", "sintel"},
          {"version", "v2"},
          {"checked_at", "2026-01-01T00:00:00Z"},
          {"blocking", 1},
          {"warnings", 0},
          {"infos", 1},
          {"waived", 1},
          {"dropped", 2},
          {"findings",
           {{{"id", "black-1"},
             {"severity", "block"},
             {"from", "0:00:04.0"},
             {"to", "0:01:30.0"},
             {"measured", 86},
             {"limit", 2},
             {"unit", "s"},
             {"explanation", "The picture is black\x1b."},
             {"remedy", "Watch it."},
             {"picture", "black-1.jpg"}},
            {{"id", "silence-1"},
             {"severity", "warn"},
             {"explanation", "Silent."},
             {"waiver", {{"by", "ann"}, {"reason", "meant"}, {"at", "2026-01-02T00:00:00Z"}}}}}}};
}

TEST(QualityReport, ShowsEachFindingWithItsRemedyOrWaiver) {
  EXPECT_EQ(quality_report(report(), Terminal{}),
            "sintel v2, checked at 2026-01-01T00:00:00Z: 0 warnings, 1 remark, 1 waived; 1 finding holds publishing.\n"
            "2 more findings are not listed.\n"
            "\n"
            "FINDING    SEVERITY  FROM       TO         MEASURED\n"
            "black-1    block     0:00:04.0  0:01:30.0  86 (limit 2 s)\n"
            "silence-1  waived                          -\n"
            "\n"
            "black-1  The picture is black?.\n"
            "  Remedy: Watch it.\n"
            "  Picture: black-1.jpg\n"
            "\n"
            "silence-1  Silent.\n"
            "  Waived by ann at 2026-01-02T00:00:00Z: meant\n");
}

TEST(QualityReport, TakesAnyAnswer) {
  EXPECT_FALSE(quality_report(Json(), Terminal{}).empty());
  EXPECT_FALSE(quality_report({{"findings", {1, "x", Json()}}}, Terminal{}).empty());
}

TEST(QualityReport, AWaiverSaysWhatStillHolds) {
  EXPECT_EQ(waived_report(report(), "silence-1"), "silence-1 of sintel v2 is waived: 1 finding holds publishing.\n");
  EXPECT_EQ(waived_report({{"title", "a"}, {"version", "v1"}}, "black-1"),
            "black-1 of a v1 is waived: nothing holds publishing.\n");
}

}  // namespace
}  // namespace reelway::cli
