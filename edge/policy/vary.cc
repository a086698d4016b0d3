#include "edge/policy/vary.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "edge/policy/forward.h"

namespace reelway::edge {
namespace {

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  }
  return lower;
}

template <typename Visit>
void for_each_member(std::string_view list, Visit&& visit) {
  while (!list.empty()) {
    const std::size_t end = http::list_member_end(list);
    if (const std::string_view member = http::trimmed(list.substr(0, end)); !member.empty()) visit(member);
    list.remove_prefix(std::min(end + 1, list.size()));
  }
}

struct Weighted {
  std::string name;      // lower-case, without parameters
  std::uint32_t weight;  // thousandths
};

// The thousandths of a qvalue (RFC 9110 section 12.4.2). One that is not understood counts as 1.
std::uint32_t thousandths(std::string_view text) {
  if (text.empty() || (text[0] != '0' && text[0] != '1')) return 1000;
  if (text[0] == '1' || text.size() < 2) return text[0] == '1' ? 1000 : 0;
  if (text[1] != '.') return 1000;
  std::uint32_t value = 0;
  std::uint32_t unit = 100;
  for (char c : text.substr(2, 3)) {
    if (c < '0' || c > '9') return 1000;
    value += static_cast<std::uint32_t>(c - '0') * unit;
    unit /= 10;
  }
  return value;
}

Weighted weighted(std::string_view member) {
  const std::size_t semicolon = member.find(';');
  Weighted result{lower_case(http::trimmed(member.substr(0, semicolon))), 1000};
  if (semicolon == std::string_view::npos) return result;
  const std::string_view parameter = http::trimmed(member.substr(semicolon + 1));
  if (parameter.starts_with("q=") || parameter.starts_with("Q=")) {
    result.weight = thousandths(http::trimmed(parameter.substr(2)));
  }
  return result;
}

// RFC 9110 section 12.5.3. Codings that no origin of ours sends need no variants of their own.
std::string normal_accept_encoding(std::string_view value) {
  constexpr std::array<std::string_view, 4> kCodings = {"br", "gzip", "identity", "zstd"};
  std::array<std::optional<bool>, kCodings.size()> listed;
  std::optional<bool> any;
  for_each_member(value, [&](std::string_view member) {
    const Weighted coding = weighted(member);
    const std::string_view name = coding.name == "x-gzip" ? std::string_view("gzip") : std::string_view(coding.name);
    if (name == "*") any = coding.weight > 0;
    for (std::size_t i = 0; i < kCodings.size(); ++i) {
      if (name == kCodings[i]) listed[i] = coding.weight > 0;
    }
  });
  std::string set;
  for (std::size_t i = 0; i < kCodings.size(); ++i) {
    const bool unlisted = kCodings[i] == "identity" ? any.value_or(true) : any.value_or(false);
    if (listed[i].value_or(unlisted)) set.append(set.empty() ? "" : ",").append(kCodings[i]);
  }
  return set;
}

std::string normal_accept_language(std::string_view value) {
  std::vector<Weighted> members;
  for_each_member(value, [&](std::string_view member) { members.push_back(weighted(member)); });
  std::sort(members.begin(), members.end(), [](const Weighted& a, const Weighted& b) {
    return a.weight != b.weight ? a.weight > b.weight : a.name < b.name;
  });
  std::string text;
  for (const Weighted& member : members) {
    if (!text.empty()) text += ',';
    text += member.name;
    if (member.weight != 1000) text.append(";").append(std::to_string(member.weight));
  }
  return text;
}

}  // namespace

Vary vary_of(const http::HeaderList& response) {
  Vary vary;
  for (const http::Header& header : response) {
    if (!http::names_equal(header.name, "Vary")) continue;
    for_each_member(header.value, [&](std::string_view member) {
      if (member == "*") {
        vary.any = true;
      } else {
        vary.names.push_back(lower_case(member));
      }
    });
  }
  std::sort(vary.names.begin(), vary.names.end());
  vary.names.erase(std::unique(vary.names.begin(), vary.names.end()), vary.names.end());
  return vary;
}

std::string normal_value(std::string_view name, std::string_view joined_value) {
  if (name == "accept-encoding") return normal_accept_encoding(joined_value);
  if (name == "accept-language") return normal_accept_language(joined_value);
  std::string text;
  for_each_member(joined_value, [&](std::string_view member) {
    if (!text.empty()) text += ',';
    text += member;
  });
  std::replace(text.begin(), text.end(), '\t', ' ');  // the tab divides the fields of a key
  return text;
}

std::optional<std::string> variant_key(std::string_view key, const std::vector<std::string>& names,
                                       const http::HeaderList& request) {
  if (names.size() > kVaryNamesMax) return std::nullopt;
  std::string variant(key);
  for (const std::string& name : names) {
    variant.append("\t").append(name);
    if (!request.find(name)) continue;
    variant.append("=").append(normal_value(name, joined_values(request, name)));
  }
  if (variant.size() - key.size() > kVariantKeyBytesMax) return std::nullopt;
  return variant;
}

}  // namespace reelway::edge
