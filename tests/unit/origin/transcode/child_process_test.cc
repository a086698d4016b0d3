#include "origin/transcode/child_process.h"

#include <gtest/gtest.h>

#include <thread>

namespace reelway::origin {
namespace {

ChildRequest shell(const std::string& script) {
  ChildRequest request;
  request.command = {"/bin/sh", "-c", script};
  return request;
}

TEST(ChildProcess, GivesOutputErrorsAndExitCode) {
  std::string output;
  ChildRequest request = shell("echo out; echo err >&2; exit 3");
  request.on_output = [&](std::string_view piece) -> Result<void> {
    output.append(piece);
    return {};
  };
  const Result<ChildEnd> end = run_child(request, StopSignal());
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(end->exit_code, 3);
  EXPECT_EQ(output, "out\n");
  EXPECT_EQ(end->errors, "err\n");
}

TEST(ChildProcess, HasAnEmptyEnvironmentAndNoStrayDescriptors) {
  std::string output;
  ChildRequest request;
  request.command = {"/usr/bin/env"};
  request.on_output = [&](std::string_view piece) -> Result<void> {
    output.append(piece);
    return {};
  };
  ASSERT_TRUE(run_child(request, StopSignal()).ok());
  EXPECT_EQ(output, "");
  request.command = {"/bin/ls", "/proc/self/fd"};
  ASSERT_TRUE(run_child(request, StopSignal()).ok());
  EXPECT_EQ(output, "0\n1\n2\n3\n");  // 3 is the listed folder itself
}

TEST(ChildProcess, KeepsTheEndOfLongErrors) {
  const Result<ChildEnd> end =
      run_child(shell("i=0; while [ $i -lt 4000 ]; do echo line $i >&2; i=$((i+1)); done"), StopSignal());
  ASSERT_TRUE(end.ok());
  EXPECT_EQ(end->errors.size(), kErrorsKept);
  EXPECT_TRUE(end->errors.ends_with("line 3999\n"));
}

TEST(ChildProcess, ErrorsAreReadAsTheyComeAndRefusedOnesEndIt) {
  std::size_t heard = 0;
  ChildRequest request = shell("i=0; while [ $i -lt 4000 ]; do echo line $i >&2; i=$((i+1)); done");
  request.on_errors = [&](std::string_view piece) -> Result<void> {
    heard += piece.size();
    return {};
  };
  ASSERT_TRUE(run_child(request, StopSignal()).ok());
  EXPECT_EQ(heard, 10 * 7 + 90 * 8 + 900 * 9 + 3000 * 10);  // "line 7\n" to "line 3999\n"
  ChildRequest refused = shell("while :; do echo more >&2; done");
  refused.on_errors = [](std::string_view) -> Result<void> {
    return Error{ErrorCode::io_failed, Side::self, false, "enough"};
  };
  EXPECT_EQ(run_child(refused, StopSignal()).error().code, ErrorCode::io_failed);
}

TEST(ChildProcess, IsKilledWhenItsTimeIsOver) {
  ChildRequest request = shell("sleep 1000 & sleep 1000");
  request.wall_limit = std::chrono::seconds(1);
  EXPECT_EQ(run_child(request, StopSignal()).error().code, ErrorCode::timed_out);
}

TEST(ChildProcess, IsKilledByTheStopSignal) {
  StopSignal stop;
  std::thread stopper([&] { stop.stop(); });
  EXPECT_EQ(run_child(shell("sleep 1000"), stop).error().code, ErrorCode::shutting_down);
  stopper.join();
}

TEST(ChildProcess, RefusedOutputEndsIt) {
  ChildRequest request = shell("while true; do echo more; done");
  request.on_output = [](std::string_view) -> Result<void> {
    return Error{ErrorCode::media_unsupported, Side::client, false, "enough"};
  };
  EXPECT_EQ(run_child(request, StopSignal()).error().code, ErrorCode::media_unsupported);
}

TEST(ChildProcess, MissingProgramIsAnError) {
  ChildRequest request;
  request.command = {"/nowhere/program"};
  EXPECT_EQ(run_child(request, StopSignal()).error().code, ErrorCode::not_found_on_disk);
}

TEST(LineCutter, CutsAcrossPiecesAndBoundsLines) {
  std::vector<std::string> lines;
  LineCutter cutter([&](std::string_view line) { lines.emplace_back(line); });
  for (const char* piece : {"a", "b\nc", "\n\nd"}) ASSERT_TRUE(cutter.add(piece).ok());
  cutter.finish();
  EXPECT_EQ(lines, (std::vector<std::string>{"ab", "c", "", "d"}));
  EXPECT_FALSE(cutter.add(std::string(70'000, 'x')).ok());
}

}  // namespace
}  // namespace reelway::origin
