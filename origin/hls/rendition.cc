#include "origin/hls/rendition.h"

#include "origin/hls/attribute_list.h"

namespace reelway::origin::hls {

std::string media_line(const Rendition& rendition) {
  const bool is_audio = rendition.type == Rendition::Type::audio;
  TagLine tag("EXT-X-MEDIA");
  tag.word("TYPE", is_audio ? "AUDIO" : "SUBTITLES").quoted("GROUP-ID", rendition.group);
  tag.quoted("NAME", rendition.name).quoted("LANGUAGE", rendition.language);
  tag.flag("DEFAULT", rendition.is_default).flag("AUTOSELECT", rendition.autoselect);
  if (!is_audio) tag.flag("FORCED", rendition.forced);
  if (!rendition.characteristics.empty()) tag.quoted("CHARACTERISTICS", rendition.characteristics);
  if (is_audio) tag.quoted("CHANNELS", rendition.channels);
  tag.quoted("STABLE-RENDITION-ID", rendition.track_id);
  return tag.quoted("URI", rendition.track_id + "/" + rendition.playlist).line();
}

}  // namespace reelway::origin::hls
