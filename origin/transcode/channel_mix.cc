#include "origin/transcode/channel_mix.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

// Model. Every channel of a source feeds the six of 5.1, with a weight each; stereo is made of these six. So stereo of
// a film in 7.1 is the same as stereo of its 5.1.

namespace reelway::origin {
namespace {

const double kHalf = std::sqrt(0.5);  // of the power: -3 dB

struct Layout {
  std::string_view name;
  std::string_view channels;  // in their order
};
constexpr auto kLayouts = std::to_array<Layout>({
    {"mono", "FC"},
    {"stereo", "FL FR"},
    {"2.1", "FL FR LFE"},
    {"3.0", "FL FR FC"},
    {"3.0(back)", "FL FR BC"},
    {"4.0", "FL FR FC BC"},
    {"quad", "FL FR BL BR"},
    {"quad(side)", "FL FR SL SR"},
    {"3.1", "FL FR FC LFE"},
    {"4.1", "FL FR FC LFE BC"},
    {"5.0", "FL FR FC BL BR"},
    {"5.0(side)", "FL FR FC SL SR"},
    {"5.1", "FL FR FC LFE BL BR"},
    {"5.1(side)", "FL FR FC LFE SL SR"},
    {"6.0", "FL FR FC BC SL SR"},
    {"6.1", "FL FR FC LFE BC SL SR"},
    {"6.1(back)", "FL FR FC LFE BL BR BC"},
    {"7.0", "FL FR FC BL BR SL SR"},
    {"7.1", "FL FR FC LFE BL BR SL SR"},
});
// What FFmpeg takes a number of channels for when a file does not say.
constexpr std::array<std::string_view, 9> kUsual{"", "mono", "stereo", "2.1", "4.0", "5.0", "5.1", "6.1", "7.1"};

const Layout* find_layout(std::string_view name) {
  const auto place =
      std::find_if(kLayouts.begin(), kLayouts.end(), [&](const Layout& one) { return one.name == name; });
  return place == kLayouts.end() ? nullptr : &*place;
}

bool has(const Layout& layout, std::string_view channel) {
  const std::size_t place = layout.channels.find(channel);
  return place != std::string_view::npos && (place == 0 || layout.channels[place - 1] == ' ');
}

// What one output is the sum of.
struct Term {
  std::string_view channel;
  double weight;
};
using Sum = std::vector<Term>;

void add(Sum& sum, const Layout& layout, std::string_view channel, double weight) {
  if (has(layout, channel)) sum.push_back({channel, weight});
}

// The surround of one side. A centre at the back is heard from both; of two pairs, the side one is the pair of 5.1.
Sum surround(const Layout& layout, std::string_view side, std::string_view back) {
  Sum sum;
  add(sum, layout, side, 1);
  add(sum, layout, back, has(layout, side) ? kHalf : 1);
  add(sum, layout, "BC", kHalf);
  return sum;
}

std::string text_of(std::string_view output, const Sum& sum) {
  std::string text = fmt::format("|{}=", output);
  for (const Term& term : sum) {
    if (text.back() != '=') text += '+';
    if (term.weight != 1) text += fmt::format("{:.5f}*", term.weight);
    text += term.channel;
  }
  return text;
}

// FFmpeg may have to mend the layout first, where it changes within the film. Sums need numbers that do not clip.
std::string mix_of(const Layout& layout, std::string_view output, const std::string& sums) {
  return fmt::format("aformat=sample_fmts=fltp:channel_layouts={},pan={}{}", layout.name, output, sums);
}

Sum stereo_side(const Layout& layout, std::string_view front, std::string_view side, std::string_view back) {
  Sum sum{{front, 1}};
  add(sum, layout, "FC", kHalf);
  for (const Term& term : surround(layout, side, back)) sum.push_back({term.channel, term.weight * kHalf});
  return sum;
}

bool is_surround(const Layout& layout) {
  const bool has_pair = has(layout, "SL") || has(layout, "BL");
  return has(layout, "FL") && has(layout, "FC") && has(layout, "LFE") && has_pair;
}

}  // namespace

std::string known_layout(std::string_view stated, int channels) {
  if (stated == "unknown") stated = {};
  if (stated.empty() && channels > 0 && static_cast<std::size_t>(channels) < kUsual.size()) {
    stated = kUsual[static_cast<std::size_t>(channels)];
  }
  const Layout* layout = find_layout(stated);
  if (layout == nullptr) return {};
  const auto named = 1 + std::count(layout->channels.begin(), layout->channels.end(), ' ');
  return channels == 0 || named == channels ? std::string(stated) : std::string();
}

std::string stereo_mix(std::string_view name) {
  const Layout* layout = find_layout(name);
  if (layout == nullptr || name == "stereo") return {};
  if (name == "mono") return mix_of(*layout, "stereo", "|FL=FC|FR=FC");
  return mix_of(
      *layout, "stereo",
      text_of("FL", stereo_side(*layout, "FL", "SL", "BL")) + text_of("FR", stereo_side(*layout, "FR", "SR", "BR")));
}

bool is_mixed_to_stereo(std::string_view name) {
  // Mono is measured as it will be heard, from two loudspeakers.
  return name != "mono" && !stereo_mix(name).empty();
}

std::string surround_mix(std::string_view name) {
  const Layout* layout = find_layout(name);
  if (layout == nullptr || !is_surround(*layout)) return {};
  return mix_of(*layout, "5.1(side)",
                "|FL=FL|FR=FR|FC=FC|LFE=LFE" + text_of("SL", surround(*layout, "SL", "BL")) +
                    text_of("SR", surround(*layout, "SR", "BR")));
}

bool is_mixed_to_surround(std::string_view name) {
  return name != "5.1" && name != "5.1(side)" && !surround_mix(name).empty();
}

}  // namespace reelway::origin
