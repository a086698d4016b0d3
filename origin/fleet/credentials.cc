#include "origin/fleet/credentials.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "common/base/unique_fd.h"

namespace reelway::origin {
namespace {

constexpr std::size_t kFileBytesMax = 2 * 1024 * 1024;
constexpr std::string_view kBlanks = " \t\r";

Error invalid(const std::string& file, std::size_t line, const std::string& what) {
  Error error;
  error.code = ErrorCode::config_value_invalid;
  error.detail = file + (line == 0 ? "" : ":" + std::to_string(line)) + ": " + what;
  return error;
}

Error unreadable(const std::string& file, int errno_value) {
  Error error;
  error.code = ErrorCode::config_unreadable;
  error.detail = file + ": " + std::strerror(errno_value);
  return error;
}

bool is_edge_id(std::string_view text) {
  const auto allowed = [](unsigned char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), allowed);
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

Result<std::string> read_private_file(const std::string& file) {
  UniqueFd fd(open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return unreadable(file, errno);
  struct stat status {};
  if (fstat(fd.get(), &status) != 0) return unreadable(file, errno);
  if ((status.st_mode & 077) != 0) return invalid(file, 0, "others than its owner may read it; use: chmod 600 " + file);
  std::string text;
  std::array<char, 16 * 1024> part;
  while (text.size() <= kFileBytesMax) {
    const ssize_t count = read(fd.get(), part.data(), part.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return unreadable(file, errno);
    if (count == 0) return text;
    text.append(part.data(), static_cast<std::size_t>(count));
  }
  return invalid(file, 0, "is longer than " + std::to_string(kFileBytesMax) + " bytes");
}

}  // namespace

std::string_view bearer_secret(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() <= kScheme.size()) return {};
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  for (std::size_t i = 0; i < kScheme.size(); ++i) {
    if (lower(authorization[i]) != kScheme[i]) return {};
  }
  return trimmed(authorization.substr(kScheme.size()));
}

bool secrets_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Result<EdgeCredentials> EdgeCredentials::load(const std::string& file) {
  auto text = read_private_file(file);
  if (!text) return text.error();
  return parse(*text, file);
}

Result<EdgeCredentials> EdgeCredentials::parse(std::string_view text, const std::string& file_name) {
  EdgeCredentials credentials;
  std::size_t number = 0;
  while (!text.empty()) {
    ++number;
    const auto end = text.find('\n');
    const std::string_view line = trimmed(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    if (line.empty() || line.starts_with('#')) continue;
    const auto blank = line.find_first_of(kBlanks);
    const std::string_view id = line.substr(0, blank);
    const std::string_view secret = blank == std::string_view::npos ? std::string_view{} : trimmed(line.substr(blank));
    if (!is_edge_id(id))
      return invalid(file_name, number, "expected: <edge-id> <secret>, the id of letters, digits and . _ -");
    if (secret.size() < kEdgeSecretCharactersMin || secret.find_first_of(kBlanks) != std::string_view::npos) {
      return invalid(file_name, number,
                     "the secret of " + std::string(id) + " must be one word of at least " +
                         std::to_string(kEdgeSecretCharactersMin) + " characters");
    }
    if (credentials.secrets_.size() == kEdgesMax) return invalid(file_name, number, "more edges than 10000");
    if (!credentials.secrets_.emplace(id, secret).second) {
      return invalid(file_name, number, "the edge " + std::string(id) + " is listed twice");
    }
  }
  return credentials;
}

bool EdgeCredentials::allows(std::string_view edge_id, std::string_view secret) const {
  const auto found = secrets_.find(edge_id);
  const bool known = found != secrets_.end();
  // An empty secret never matches: no listed secret is empty.
  const std::string_view expected = known ? std::string_view(found->second) : secret;
  return secrets_equal(expected, secret) && known;
}

}  // namespace reelway::origin
