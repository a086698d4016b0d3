#include "common/http/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "common/base/check.h"
#include "common/http/message.h"

namespace reelway::http {
namespace {

constexpr int kGzipWindowBits = 15 + 16;  // the widest window, with gzip's header and trailer
constexpr int kMemoryLevel = 9;
constexpr std::size_t kPieceBytes = 64 * 1024;
constexpr Bytef kUnknownSystem = 255;  // else the header would tell on which system zlib was built

// Whether a member's weight is 0: "gzip;q=0", "gzip; q=0.000".
bool is_refused(std::string_view parameter) {
  const std::string_view weight = trimmed(parameter);
  if (!weight.starts_with("q=") && !weight.starts_with("Q=")) return false;
  return weight.substr(2).find_first_not_of("0.") == std::string_view::npos;
}

}  // namespace

bool accepts_gzip(std::string_view accept_encoding) {
  std::optional<bool> named, any;
  while (!accept_encoding.empty()) {
    const std::size_t end = std::min(accept_encoding.find(','), accept_encoding.size());
    const std::string_view member = accept_encoding.substr(0, end);
    accept_encoding.remove_prefix(std::min(end + 1, accept_encoding.size()));
    const std::size_t semicolon = std::min(member.find(';'), member.size());
    const std::string_view coding = trimmed(member.substr(0, semicolon));
    const bool accepted = semicolon == member.size() || !is_refused(member.substr(semicolon + 1));
    if (names_equal(coding, "gzip") || names_equal(coding, "x-gzip")) named = accepted;
    if (coding == "*") any = accepted;
  }
  return named.value_or(any.value_or(false));
}

std::string gzipped(std::string_view text) {
  CHECK(text.size() <= std::numeric_limits<uInt>::max());
  z_stream stream{};
  CHECK(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzipWindowBits, kMemoryLevel, Z_DEFAULT_STRATEGY) ==
        Z_OK);
  gz_header header{};
  header.os = kUnknownSystem;
  CHECK(deflateSetHeader(&stream, &header) == Z_OK);
  std::string packed(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));  // zlib does not write there
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

std::optional<std::string> gunzipped(ByteView packed, std::size_t bytes_max) {
  if (packed.size() > std::numeric_limits<uInt>::max()) return std::nullopt;
  z_stream stream{};
  if (inflateInit2(&stream, kGzipWindowBits) != Z_OK) return std::nullopt;
  stream.next_in = const_cast<Bytef*>(packed.data());
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string text;
  int result = Z_OK;
  while (result == Z_OK && text.size() <= bytes_max) {
    const std::size_t have = text.size();
    text.resize(have + std::min(kPieceBytes, bytes_max + 1 - have));
    stream.next_out = reinterpret_cast<Bytef*>(text.data() + have);
    stream.avail_out = static_cast<uInt>(text.size() - have);
    result = inflate(&stream, Z_NO_FLUSH);
    text.resize(text.size() - stream.avail_out);
  }
  inflateEnd(&stream);
  if (result != Z_STREAM_END || text.size() > bytes_max) return std::nullopt;
  return text;
}

}  // namespace reelway::http
