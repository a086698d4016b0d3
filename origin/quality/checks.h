#pragma once

#include <string>

#include "origin/quality/container_facts.h"
#include "origin/quality/film_facts.h"
#include "origin/quality/finding_list.h"
#include "origin/transcode/source_facts.h"

// The rules applied to what was measured. Pure: each function adds its findings and changes nothing else.

namespace reelway::origin {

struct Measured {
  const SourceFacts& facts;
  const ContainerScan& container;
  const FilmFacts& film;

  const PacketFacts& video_packets() const { return container.packets(facts.video.stream); }
  // A time of the container on the film's scale.
  double in_film(double container_s) const { return container_s - facts.start_s; }
  double duration_s() const;
  // "sound track 2 (fre)", as an editor counts them
  std::string track_name(int stream) const;
};

// picture_checks.cc: decode_error, black, freeze, interlaced, telecine, crop. Sets what the transcode can use.
void check_picture(const Measured& measured, FindingList& findings, QualityReport& report);
// container_checks.cc: vfr, key_frames, av_length, language.
void check_container(const Measured& measured, FindingList& findings);
// sound_checks.cc: silence, loudness, loud_section, loudness_range, true_peak, phase, missing_channel.
void check_sound(const Measured& measured, FindingList& findings, QualityReport& report);
// channel_checks.cc: swapped_channels.
void check_channels(const Measured& measured, FindingList& findings);
// sync_checks.cc: av_offset.
void check_sync(const Measured& measured, FindingList& findings);

// Pieces of `spans` that no span of `without` covers. Both are in order.
std::vector<Span> subtracted(const std::vector<Span>& spans, const std::vector<Span>& without);

}  // namespace reelway::origin
