#include "edge/policy/invalidation.h"

#include <algorithm>
#include <array>
#include <optional>

namespace reelway::edge {
namespace {

// RFC 3986 section 5.2.4, for a path that begins with a slash.
std::string without_dot_segments(std::string_view path) {
  std::vector<std::string_view> segments;
  bool ends_in_directory = false;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view segment = path.substr(0, end);
    path.remove_prefix(end);
    ends_in_directory = segment == "." || segment == "..";
    if (segment == ".." && !segments.empty()) segments.pop_back();
    if (!ends_in_directory) segments.push_back(segment);
  }
  std::string clean;
  for (const std::string_view segment : segments) clean.append("/").append(segment);
  if (ends_in_directory || clean.empty()) clean += '/';
  return clean;
}

std::string_view path_of(std::string_view target) {
  return target.substr(0, target.find('?'));
}

std::string cleaned(std::string_view target) {
  const std::string_view path = path_of(target);
  return without_dot_segments(path).append(target.substr(path.size()));
}

// What stands before the first colon, when that is a scheme and not a part of a path.
std::optional<std::string_view> scheme_of(std::string_view reference) {
  const std::size_t end = reference.find_first_of(":/?");
  if (end == std::string_view::npos || end == 0 || reference[end] != ':') return std::nullopt;
  return reference.substr(0, end);
}

std::string_view without_default_port(std::string_view authority) {
  for (const std::string_view port : {":80", ":443", ":"}) {
    if (authority.ends_with(port)) return authority.substr(0, authority.size() - port.size());
  }
  return authority;
}

bool is_same_host(std::string_view a, std::string_view b) {
  return http::names_equal(without_default_port(a), without_default_port(b));
}

void add_once(std::vector<std::string>& targets, std::string target) {
  if (target.empty() || std::find(targets.begin(), targets.end(), target) != targets.end()) return;
  targets.push_back(std::move(target));
}

}  // namespace

bool is_safe_method(std::string_view method) {
  constexpr std::array<std::string_view, 4> kSafe = {"GET", "HEAD", "OPTIONS", "TRACE"};
  return std::find(kSafe.begin(), kSafe.end(), method) != kSafe.end();
}

std::string target_on_host(std::string_view reference, std::string_view host, std::string_view base_target) {
  reference = reference.substr(0, reference.find('#'));
  if (const auto scheme = scheme_of(reference)) {
    if (!http::names_equal(*scheme, "http") && !http::names_equal(*scheme, "https")) return {};
    reference.remove_prefix(scheme->size() + 1);
    if (!reference.starts_with("//")) return {};
  }
  if (reference.starts_with("//")) {
    reference.remove_prefix(2);
    const std::size_t end = std::min(reference.find_first_of("/?"), reference.size());
    if (!is_same_host(reference.substr(0, end), host)) return {};
    reference.remove_prefix(end);
    return reference.starts_with('/') ? cleaned(reference) : std::string("/").append(reference);
  }
  if (reference.starts_with('/')) return cleaned(reference);
  if (reference.empty()) return std::string(base_target);
  const std::string_view base_path = path_of(base_target);
  if (reference.starts_with('?')) return std::string(base_path).append(reference);
  return cleaned(std::string(base_path.substr(0, base_path.rfind('/') + 1)).append(reference));
}

std::vector<std::string> invalidated_targets(std::string_view method, std::string_view host, std::string_view target,
                                             const http::ResponseHead& answer) {
  std::vector<std::string> targets;
  if (is_safe_method(method) || answer.status < 200 || answer.status >= 400) return targets;
  targets.emplace_back(target);
  for (const std::string_view name : {"Location", "Content-Location"}) {
    if (const auto reference = answer.headers.find(name)) add_once(targets, target_on_host(*reference, host, target));
  }
  return targets;
}

}  // namespace reelway::edge
