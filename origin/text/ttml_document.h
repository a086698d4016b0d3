#pragma once

#include <cstdint>
#include <pugixml.hpp>
#include <string>
#include <string_view>

#include "origin/text/text_sheet.h"

// TTML in the form of sheets (Form::ttml), so that documents of any part of the film can be written from it:
//
//   head      the root's opening tag and the document's head, without metadata
//   settings  the opening tags of the divs that the subtitle stands in, without times; the body is the outermost
//   payload   what follows "<p" and its times: its other attributes, its content and its closing tag

namespace reelway::origin::text {

// For whoever reads a document. Elements have the root's prefix, as those of one document do.
std::string ttml_head(pugi::xml_node root, pugi::xml_node head);
std::string ttml_container(pugi::xml_node root, pugi::xml_node container);
std::string ttml_paragraph(pugi::xml_node paragraph);

// A document of what shows in [from_us, to_us), with the times that it has in the film. A whole one also without any.
std::string write_ttml(const TextSheet& sheet, std::uint64_t from_us, std::uint64_t to_us);

}  // namespace reelway::origin::text
