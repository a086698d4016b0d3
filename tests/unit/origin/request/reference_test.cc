#include "origin/request/reference.h"

#include <gtest/gtest.h>

#include "origin/request/options.h"
#include "tests/support/generated_file.h"

namespace reelway::origin {
namespace {

TEST(Reference, PagesAreWhatTheRepositoryHolds) {
  expect_generated("docs/reference/origin_config.md", reference_text("config").value());
  expect_generated("docs/reference/origin_metrics.md", reference_text("metrics").value());
  EXPECT_EQ(reference_text("nothing"), std::nullopt);
}

TEST(Reference, ExampleConfigurationIsWhatTheRepositoryHolds) {
  const std::string example = config::commented_example(origin_options(), kOriginExampleTitle);
  expect_generated("config/origin.yaml", example);
  const auto settings = config::parse(origin_options(), example, "config/origin.yaml");
  EXPECT_TRUE(settings.ok()) << (settings.ok() ? "" : describe(settings.error()));
}

}  // namespace
}  // namespace reelway::origin
