#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reelway::http {

enum class Method : std::uint8_t { get, head, options, put, post, patch, delete_, other };

struct Header {
  std::string_view name;
  std::string_view value;  // without leading and trailing white space
};

// Headers in the order received. Names compare without case (RFC 9110 section 5.1).
class HeaderList {
 public:
  void add(std::string_view name, std::string_view value) { headers_.push_back({name, value}); }
  void clear() { headers_.clear(); }
  std::optional<std::string_view> find(std::string_view name) const;  // the first of that name
  std::size_t count(std::string_view name) const;
  std::size_t size() const { return headers_.size(); }
  auto begin() const { return headers_.begin(); }
  auto end() const { return headers_.end(); }

 private:
  std::vector<Header> headers_;
};

bool names_equal(std::string_view a, std::string_view b);                  // without case
bool list_contains(std::string_view field_value, std::string_view token);  // "a, b;q=1" holds "b"
// The place of the comma that ends the first member of a list; commas inside a quoted string do not.
std::size_t list_member_end(std::string_view list);
std::string_view trimmed(std::string_view text);  // without blanks and tabs at its ends

// Views point into the parser's own storage: valid until the parser's next reset().
struct RequestHead {
  Method method = Method::other;
  std::string_view method_text;
  // As received, never decoded: "/t/abc/film/v1/master.m3u8?x=1". Of the absolute form, what follows the authority.
  std::string_view target;
  std::uint8_t minor_version = 1;
  bool keep_alive = true;
  bool chunked = false;
  bool upgrade = false;
  std::optional<std::uint64_t> content_length;
  HeaderList headers;

  std::string_view path() const { return target.substr(0, target.find('?')); }
  std::string_view query() const {
    const auto at = target.find('?');
    return at == std::string_view::npos ? std::string_view{} : target.substr(at + 1);
  }
};

struct ResponseHead {
  std::uint16_t status = 0;
  std::uint8_t minor_version = 1;
  bool keep_alive = true;
  bool chunked = false;
  std::optional<std::uint64_t> content_length;
  HeaderList headers;
};

}  // namespace reelway::http
