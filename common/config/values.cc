#include "common/config/values.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace reelway::config {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t factor;
};

// Largest first: formatting takes the first that divides.
constexpr auto kByteUnits = std::to_array<Unit>(
    {{"TiB", std::int64_t{1} << 40}, {"GiB", std::int64_t{1} << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1}});
constexpr auto kDurationUnits = std::to_array<Unit>({{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}});

template <std::size_t N>
std::optional<std::int64_t> parse_with_unit(std::string_view text, const std::array<Unit, N>& units) {
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto number = parse_integer(text.substr(0, digits));
  const auto unit =
      std::find_if(units.begin(), units.end(), [&](const Unit& u) { return u.name == text.substr(digits); });
  if (!number || unit == units.end()) return std::nullopt;
  if (*number > std::numeric_limits<std::int64_t>::max() / unit->factor) return std::nullopt;
  return *number * unit->factor;
}

template <std::size_t N>
std::string format_with_unit(std::int64_t value, const std::array<Unit, N>& units) {
  const auto unit = std::find_if(units.begin(), units.end(),
                                 [&](const Unit& u) { return value % u.factor == 0 && (value != 0 || u.factor == 1); });
  return std::to_string(value / unit->factor).append(unit->name);
}

bool is_ipv4(const std::string& host) {
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool is_ipv6(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

bool is_host_name(std::string_view host) {
  if (host.empty() || host.size() > 253) return false;
  // Digits and dots alone are meant as an address; a wrong one is not a name.
  if (host.find_first_not_of("0123456789.") == std::string_view::npos) return is_ipv4(std::string(host));
  return std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
  });
}

std::optional<std::int64_t> number_of(Kind kind, std::string_view text) {
  if (kind == Kind::bytes) return parse_bytes(text);
  if (kind == Kind::duration) return parse_duration_ms(text);
  return parse_integer(text);
}

std::string number_text(Kind kind, std::int64_t value) {
  if (kind == Kind::bytes) return format_bytes(value);
  if (kind == Kind::duration) return format_duration_ms(value);
  return std::to_string(value);
}

bool is_listen_address(std::string_view text) {
  const auto endpoint = parse_endpoint(text);
  return endpoint.ok() && (is_ipv4(endpoint->host) || is_ipv6(endpoint->host));
}

bool has_form(Kind kind, std::string_view text) {
  switch (kind) {
    case Kind::text:
    case Kind::path: return text.find('\0') == std::string_view::npos;
    case Kind::flag: return parse_flag(text).has_value();
    case Kind::integer:
    case Kind::bytes:
    case Kind::duration: return number_of(kind, text).has_value();
    case Kind::endpoint: return is_listen_address(text);
    case Kind::url: return parse_url(text).has_value();
    case Kind::text_list: return true;
  }
  return false;
}

}  // namespace

std::optional<bool> parse_flag(std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> parse_bytes(std::string_view text) {
  return parse_with_unit(text, kByteUnits);
}

std::optional<std::int64_t> parse_duration_ms(std::string_view text) {
  return parse_with_unit(text, kDurationUnits);
}

std::optional<std::string> parse_url(std::string_view text) {
  const std::size_t scheme = text.starts_with("http://") ? 7 : text.starts_with("https://") ? 8 : 0;
  if (scheme == 0) return std::nullopt;
  if (text.ends_with('/')) text.remove_suffix(1);
  if (text.size() <= scheme) return std::nullopt;
  const std::string authority(text.substr(scheme));
  const bool with_port = authority.find(':', authority.starts_with('[') ? authority.find(']') : 0) != std::string::npos;
  if (!parse_endpoint(with_port ? authority : authority + ":80").ok()) return std::nullopt;
  return std::string(text);
}

std::string format_bytes(std::int64_t bytes) {
  return format_with_unit(bytes, kByteUnits);
}

std::string format_duration_ms(std::int64_t milliseconds) {
  return format_with_unit(milliseconds, kDurationUnits);
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  const Error error{
      ErrorCode::config_value_invalid, Side::self, false,
      "expected an address and port such as 127.0.0.1:8080 or [::1]:8080, found \"" + std::string(text) + "\""};
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return error;
  std::string host(text.substr(0, colon));
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (!is_ipv6(host)) return error;
  } else if (!is_host_name(host)) {
    return error;
  }
  const std::string_view digits = text.substr(colon + 1);
  const auto port = parse_integer(digits);
  if (!port || *port < 0 || *port > 65535 || digits.front() == '-') return error;
  return Endpoint{std::move(host), static_cast<std::uint16_t>(*port)};
}

std::string_view expectation(Kind kind) {
  switch (kind) {
    case Kind::text: return "a text";
    case Kind::path: return "a path";
    case Kind::flag: return "true or false";
    case Kind::integer: return "a whole number";
    case Kind::bytes: return "a size such as 512KiB, 64MiB, 10GiB or a plain number of bytes";
    case Kind::duration: return "a time such as 250ms, 5s, 2m or 1h";
    case Kind::endpoint: return "an address and port such as 127.0.0.1:8080 or [::1]:8080";
    case Kind::url: return "a URL such as http://127.0.0.1:8081, without a path";
    case Kind::text_list: return "a list such as [first, second]";
  }
  return {};
}

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::text: return "text";
    case Kind::path: return "path";
    case Kind::flag: return "flag";
    case Kind::integer: return "number";
    case Kind::bytes: return "size";
    case Kind::duration: return "time";
    case Kind::endpoint: return "address:port";
    case Kind::url: return "URL";
    case Kind::text_list: return "list";
  }
  return {};
}

std::string limits_text(const Option& option) {
  if (option.min == 0 && option.max == 0) return {};
  if (option.max == std::numeric_limits<std::int64_t>::max()) return "at least " + number_text(option.kind, option.min);
  return "from " + number_text(option.kind, option.min) + " to " + number_text(option.kind, option.max);
}

std::string placeholder(const Option& option) {
  switch (option.kind) {
    case Kind::text: return "change-me";
    case Kind::path: break;
    case Kind::flag: return "true";
    case Kind::integer: return std::to_string(option.min);
    case Kind::bytes: return format_bytes(option.min == 0 ? 64 << 20 : option.min);
    case Kind::duration: return format_duration_ms(option.min == 0 ? 5'000 : option.min);
    case Kind::endpoint: return "127.0.0.1:8080";
    case Kind::url: return "http://127.0.0.1:8081";
    case Kind::text_list: return "[]";
  }
  std::string name(option.key);
  if (const auto any = name.find("{}"); any != std::string::npos) name.replace(any, 2, "example");
  std::replace(name.begin(), name.end(), '.', '_');
  if (name.ends_with("_dir") || name.ends_with("_directory")) return "/var/lib/reelway";
  if (name.ends_with("_file")) name.resize(name.size() - 5);
  return "/etc/reelway/" + name;
}

std::optional<std::string> value_fault(const Option& option, std::string_view text) {
  const std::string expected = "expected " + std::string(expectation(option.kind));
  if (text.empty() && (option.required || !option.default_value.empty())) return expected;
  if (text.empty()) return std::nullopt;
  if (!has_form(option.kind, text)) return expected;
  const std::string limits = limits_text(option);
  if (limits.empty() ||
      !(option.kind == Kind::integer || option.kind == Kind::bytes || option.kind == Kind::duration)) {
    return std::nullopt;
  }
  const std::int64_t value = *number_of(option.kind, text);
  if (value < option.min || value > option.max) return expected + ", " + limits;
  return std::nullopt;
}

}  // namespace reelway::config
