#pragma once

#include <string>
#include <vector>

#include "origin/quality/container_facts.h"
#include "origin/quality/rules.h"
#include "origin/transcode/source_facts.h"

namespace reelway::origin {

// One film's inspection, laid out before anything runs.
struct InspectionPlan {
  std::string source;  // path
  std::string folder;  // where pictures and texts of subtitles go
  int video_stream = 0;
  struct Sound {
    int stream = 0;
    int channels = 0;
    std::string stereo_mix, surround_mix;  // filters, for mixes that are to be measured too; empty: none
  };
  std::vector<Sound> sounds;
  std::vector<int> subtitles;  // streams of text
  double black_percent = 98;
  double still_db = -60;
};
InspectionPlan plan_inspection(const std::string& source, const std::string& folder, const SourceFacts& facts,
                               const ContainerScan& container, const QualityRules& rules);

// FFmpeg's command that decodes the film once and writes measurements and messages, in their order, to standard error.
std::vector<std::string> inspection_arguments(const InspectionPlan& plan, const std::string& ffmpeg);

// File within the folder, as the pass writes it.
std::string subtitle_file(int stream);

// A small picture of one moment, and the wave of a stretch of one track, as a file of `folder`.
std::vector<std::string> still_arguments(const InspectionPlan& plan, double at_s, const std::string& file,
                                         const std::string& ffmpeg);
std::vector<std::string> wave_arguments(const InspectionPlan& plan, int stream, double from_s, double length_s,
                                        const std::string& file, const std::string& ffmpeg);

}  // namespace reelway::origin
