#include "edge/admin/reference.h"

#include <gtest/gtest.h>

#include "edge/request/options.h"
#include "tests/support/generated_file.h"

namespace reelway::edge {
namespace {

TEST(Reference, PagesAreWhatTheRepositoryHolds) {
  expect_generated("docs/reference/edge_config.md", reference_text("config").value());
  expect_generated("docs/reference/edge_metrics.md", reference_text("metrics").value());
  EXPECT_EQ(reference_text("nothing"), std::nullopt);
}

TEST(Reference, ExampleConfigurationIsWhatTheRepositoryHolds) {
  const std::string example = config::commented_example(edge_options(), "reelway-edge");
  expect_generated("config/edge.yaml", example);
  const auto settings = config::parse(edge_options(), example, "config/edge.yaml");
  EXPECT_TRUE(settings.ok()) << (settings.ok() ? "" : describe(settings.error()));
}

}  // namespace
}  // namespace reelway::edge
