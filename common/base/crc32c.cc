#include "common/base/crc32c.h"

#include <array>
#include <cstring>

#include "common/base/encoding.h"

// Model: the SSE4.2 instruction where the processor has it (checked once), a table otherwise. Combining treats
// the sum as a vector over GF(2): appending n zero bytes is a matrix, squared to reach any length.
//
// One such instruction waits for the one before it three cycles long, but three of them that do not wait for each other
// take no longer than one. So long inputs are summed as three parts side by side, joined by the matrix of a part's
// length.

namespace reelway {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78;  // reflected

constexpr std::array<std::uint32_t, 256> make_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? kPolynomial : 0);
    table[i] = crc;
  }
  return table;
}
constexpr auto kTable = make_table();

std::uint32_t sum_by_table(ByteView bytes, std::uint32_t crc) {
  for (std::uint8_t byte : bytes) crc = crc >> 8 ^ kTable[(crc ^ byte) & 255];
  return crc;
}

// Row i is the image of bit i.
using Matrix = std::array<std::uint32_t, 32>;

constexpr std::uint32_t times(const Matrix& matrix, std::uint32_t vector) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; vector != 0; ++i, vector >>= 1) {
    if (vector & 1) sum ^= matrix[i];
  }
  return sum;
}

constexpr Matrix square(const Matrix& matrix) {
  Matrix result{};
  for (std::size_t i = 0; i < 32; ++i) result[i] = times(matrix, matrix[i]);
  return result;
}

// kAppend[k] appends 2^k zero bytes.
constexpr std::array<Matrix, 64> make_append() {
  Matrix one_bit{};
  one_bit[0] = kPolynomial;
  for (std::size_t i = 1; i < 32; ++i) one_bit[i] = std::uint32_t{1} << (i - 1);
  std::array<Matrix, 64> powers{};
  powers[0] = square(square(square(one_bit)));
  for (std::size_t k = 1; k < 64; ++k) powers[k] = square(powers[k - 1]);
  return powers;
}

const std::array<Matrix, 64>& append_powers() {
  static const std::array<Matrix, 64> powers = make_append();
  return powers;
}

#if defined(__x86_64__)
constexpr std::size_t kPartPower = 12;
constexpr std::size_t kPartBytes = std::size_t{1} << kPartPower;

std::uint64_t word_at(const std::uint8_t* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

__attribute__((target("sse4.2"))) std::uint32_t sum_three_parts(const std::uint8_t* at, std::uint32_t crc) {
  std::uint64_t first = crc;
  std::uint64_t second = 0;
  std::uint64_t third = 0;
  for (std::size_t i = 0; i < kPartBytes; i += 8) {
    first = __builtin_ia32_crc32di(first, word_at(at + i));
    second = __builtin_ia32_crc32di(second, word_at(at + kPartBytes + i));
    third = __builtin_ia32_crc32di(third, word_at(at + 2 * kPartBytes + i));
  }
  const Matrix& append_part = append_powers()[kPartPower];
  const std::uint32_t two = times(append_part, static_cast<std::uint32_t>(first)) ^ static_cast<std::uint32_t>(second);
  return times(append_part, two) ^ static_cast<std::uint32_t>(third);
}

__attribute__((target("sse4.2"))) std::uint32_t sum_by_instruction(ByteView bytes, std::uint32_t crc) {
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 3 * kPartBytes; left -= 3 * kPartBytes, at += 3 * kPartBytes) crc = sum_three_parts(at, crc);
  std::uint64_t wide = crc;
  for (; left >= 8; left -= 8, at += 8) {
    wide = __builtin_ia32_crc32di(wide, word_at(at));
  }
  crc = static_cast<std::uint32_t>(wide);
  for (; left > 0; --left, ++at) crc = __builtin_ia32_crc32qi(crc, *at);
  return crc;
}
#endif

}  // namespace

std::uint32_t crc32c(ByteView bytes, std::uint32_t so_far) {
#if defined(__x86_64__)
  static const bool has_instruction = __builtin_cpu_supports("sse4.2");
  if (has_instruction) return ~sum_by_instruction(bytes, ~so_far);
#endif
  return ~sum_by_table(bytes, ~so_far);
}

std::uint32_t crc32c_combine(std::uint32_t crc_a, std::uint32_t crc_b, std::uint64_t length_b) {
  for (std::size_t k = 0; length_b != 0; ++k, length_b >>= 1) {
    if (length_b & 1) crc_a = times(append_powers()[k], crc_a);
  }
  return crc_a ^ crc_b;
}

std::string crc32c_digest_field(std::uint32_t crc) {
  ByteWriter writer;
  writer.u32(crc);
  return "crc32c=:" + base64(writer.bytes()) + ":";
}

std::optional<std::uint32_t> crc32c_from_digest_field(std::string_view value) {
  constexpr std::string_view name = "crc32c=:";
  const std::size_t at = value.find(name);
  if (at == std::string_view::npos) return std::nullopt;
  value.remove_prefix(at + name.size());
  const std::size_t end = value.find(':');
  if (end == std::string_view::npos) return std::nullopt;
  const auto bytes = from_base64(value.substr(0, end));
  if (!bytes || bytes->size() != 4) return std::nullopt;
  return ByteReader(*bytes).u32();
}

}  // namespace reelway
