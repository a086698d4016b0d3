#include "origin/hls/ts_sample_aes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <sstream>

#include "origin/hls/multivariant_playlist.h"
#include "origin/hls/ts_segment.h"
#include "tests/support/moov.h"
#include "tests/support/ts_segments.h"

// Encrypted segments, decrypted again by a decryptor written from the format's description alone, and by FFmpeg.

namespace reelway::origin::hls {
namespace {

using test::Film;
using test::output_of;
using ::testing::IsEmpty;

ContentKey test_key() {
  ContentKey key;
  for (std::uint8_t i = 0; i < 16; ++i)
    key.key[i] = static_cast<std::uint8_t>(i * 17 + 3), key.iv[i] = static_cast<std::uint8_t>(255 - i);
  return key;
}

Bytes aes_block(ByteView block, const ContentKey& key) {
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  EVP_DecryptInit_ex(context, EVP_aes_128_ecb(), nullptr, key.key.data(), nullptr);
  EVP_CIPHER_CTX_set_padding(context, 0);
  Bytes plain(16);
  int count = 0;
  EVP_DecryptUpdate(context, plain.data(), &count, block.data(), 16);
  EVP_CIPHER_CTX_free(context);
  return plain;
}

// One block of CBC in place; `chain` becomes its ciphertext.
void decrypt_block(std::uint8_t* block, Bytes& chain, const ContentKey& key) {
  const Bytes cipher(block, block + 16);
  const Bytes plain = aes_block(cipher, key);
  for (std::size_t i = 0; i < 16; ++i) block[i] = plain[i] ^ chain[i];
  chain = cipher;
}

Bytes unescaped(ByteView unit) {
  Bytes out;
  std::size_t zeros = 0;
  for (const std::uint8_t byte : unit) {
    if (zeros >= 2 && byte == 3) {
      zeros = 0;
      continue;
    }
    zeros = byte == 0 ? zeros + 1 : 0;
    out.push_back(byte);
  }
  return out;
}

void decrypt_unit(Bytes& unit, const ContentKey& key) {
  const int type = unit.empty() ? 0 : unit[0] & 31;
  if ((type != 1 && type != 5) || unit.size() <= 48) return;
  unit = unescaped(unit);
  Bytes chain(key.iv.begin(), key.iv.end());
  std::size_t at = 32;
  while (at < unit.size()) {
    if (unit.size() - at > 16) {
      decrypt_block(unit.data() + at, chain, key);
      at += 16;
    }
    at += std::min<std::size_t>(144, unit.size() - at);
  }
}

// The start codes of four bytes that the packager writes.
std::vector<Bytes> units_of(ByteView es) {
  std::vector<Bytes> units;
  std::size_t begin = 0;
  for (std::size_t at = 0; at <= es.size(); ++at) {
    const bool end = at == es.size();
    if (!end && (at + 4 > es.size() || ByteReader(es.subspan(at)).u32() != 1)) continue;
    if (at > 0)
      units.emplace_back(es.begin() + static_cast<std::ptrdiff_t>(begin), es.begin() + static_cast<std::ptrdiff_t>(at));
    begin = at + 4;
  }
  return units;
}

void decrypt_frame(std::span<std::uint8_t> frame, const ContentKey& key) {
  Bytes chain(key.iv.begin(), key.iv.end());
  for (std::size_t at = 16; at + 16 <= frame.size(); at += 16) decrypt_block(frame.data() + at, chain, key);
}

// Frames as their own headers tell them apart, decrypted.
Bytes decrypted_frames(Bytes es, std::uint8_t stream_type, const ContentKey& key) {
  for (std::size_t at = 0; at < es.size();) {
    std::size_t bytes = es.size() - at;
    std::size_t header = 0;
    if (stream_type == 0xcf) {
      bytes = std::size_t(es[at + 3] & 3) << 11 | std::size_t{es[at + 4]} << 3 | es[at + 5] >> 5;
      header = 7;
    } else if (stream_type == 0xc2) {
      bytes = ((std::size_t(es[at + 2] & 7) << 8 | es[at + 3]) + 1) * 2;
    } else {
      constexpr std::size_t words_at_48[] = {64,  80,  96,  112, 128, 160, 192,  224,  256, 320,
                                             384, 448, 512, 640, 768, 896, 1024, 1152, 1280};
      bytes = words_at_48[(es[at + 4] & 63) / 2] * 2;
    }
    decrypt_frame(std::span(es).subspan(at + header, bytes - header), key);
    at += bytes;
  }
  return es;
}

void expect_same(const test::TsReader& clear, const test::TsReader& sent, const ContentKey& key) {
  EXPECT_THAT(sent.complaints, IsEmpty());
  ASSERT_EQ(clear.pes.size(), sent.pes.size());
  for (std::size_t i = 0; i < clear.pes.size(); ++i) {
    ASSERT_EQ(clear.pes[i].header, sent.pes[i].header);
    if (sent.stream_type != 0xdb) {
      ASSERT_EQ(decrypted_frames(sent.pes[i].es, sent.stream_type, key), clear.pes[i].es) << "frames " << i;
      continue;
    }
    const auto plain = units_of(clear.pes[i].es);
    auto units = units_of(sent.pes[i].es);
    ASSERT_EQ(plain.size(), units.size()) << "picture " << i;
    for (std::size_t j = 0; j < units.size(); ++j) {
      decrypt_unit(units[j], key);
      ASSERT_EQ(units[j], plain[j]) << "picture " << i << " unit " << j;
    }
  }
}

test::TsReader read_all(const mp4::TrackIndex& index, ByteView file, Packaging packaging, const ContentKey& key) {
  test::TsReader reader;
  for (std::uint32_t n = 0; n < segment_count(index, 3); ++n) {
    auto maker = make_segment_maker({.index = index, .segment = n, .packaging = packaging, .key = &key});
    EXPECT_TRUE(maker.ok());
    auto bytes = test::drive(**maker, file);
    EXPECT_TRUE(bytes.ok()) << describe(bytes.error());
    reader.read(*bytes);
  }
  return reader;
}

// Pictures whose units have the given bytes after their first.
template <class Byte>
void expect_pictures(const std::vector<std::uint32_t>& sizes, std::size_t unit_bytes, Byte byte) {
  test::MoovShape shape = test::MoovShape::video_of(static_cast<std::uint32_t>(sizes.size()), 48);
  shape.sizes = sizes;
  const auto index = mp4::index_from_moov(test::make_moov(shape), shape.file_bytes(), nullptr);
  ASSERT_TRUE(index.ok());
  Bytes file(shape.file_bytes());
  std::size_t at = index->units.front().file_offset;
  for (const mp4::Sample& sample : index->samples.all()) {
    for (std::size_t left = sample.bytes; left > 0;) {
      std::size_t bytes = std::min(left, unit_bytes);
      if (left - bytes < 6) bytes = left;
      for (int i = 0; i < 4; ++i) file[at + i] = static_cast<std::uint8_t>((bytes - 4) >> (24 - 8 * i));
      for (std::size_t i = 5; i + 1 < bytes; ++i) file[at + i] = byte(at + i);
      file[at + 4] = sample.sync ? 0x65 : 0x41;
      file[at + bytes - 1] |= 0x80;  // a unit never ends with 0
      at += bytes;
      left -= bytes;
    }
  }
  const ContentKey key = test_key();
  // In the clear a unit may not hold what these do, so what is compared is what goes in.
  const test::TsReader sent = read_all(*index, file, Packaging::ts_sample_aes, key);
  EXPECT_THAT(sent.complaints, IsEmpty());
  EXPECT_EQ(sent.stream_type, 0xdb);
  ASSERT_EQ(sent.pes.size(), sizes.size());
  at = index->units.front().file_offset;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    std::vector<Bytes> units = units_of(sent.pes[i].es);
    units.erase(units.begin());  // the delimiter
    for (Bytes& unit : units) {
      const std::size_t bytes = ByteReader(ByteView(file).subspan(at)).u32();
      decrypt_unit(unit, key);
      ASSERT_EQ(unit, Bytes(file.begin() + static_cast<std::ptrdiff_t>(at + 4),
                            file.begin() + static_cast<std::ptrdiff_t>(at + 4 + bytes)))
          << "picture " << i;
      at += 4 + bytes;
    }
  }
  EXPECT_EQ(at, index->units.front().file_offset + shape.media_bytes());
}

std::uint8_t noise(std::size_t i) {
  return static_cast<std::uint8_t>((i * 2654435761u) >> 13);
}

TEST(SampleAes, UnitsOfEverySize) {
  std::vector<std::uint32_t> sizes;
  for (std::uint32_t size = 6; size < 600; ++size) sizes.push_back(size);
  expect_pictures(sizes, 1 << 30, noise);
}

TEST(SampleAes, LargeUnitsAndManySmallOnes) {
  for (const std::size_t unit_bytes : {std::size_t{1} << 30, std::size_t{187}, std::size_t{65'539}}) {
    expect_pictures({700'000, 40, 262'144, 170'000, 5'000}, unit_bytes, noise);
  }
}

// What is in the clear between the encrypted blocks needs more emulation prevention than any film.
TEST(SampleAes, NothingButZeros) {
  std::vector<std::uint32_t> sizes = {700'000};
  for (std::uint32_t size = 53; size < 400; ++size) sizes.push_back(size);
  // Units of 48 bytes or fewer go out as they are, and no encoder makes such ones of zeros.
  expect_pictures(sizes, 1 << 30, [](std::size_t) { return std::uint8_t{0}; });
  expect_pictures(sizes, 1 << 30,
                  [](std::size_t i) { return static_cast<std::uint8_t>(noise(i) < 40 ? noise(i + 7) % 5 : 0); });
}

class SampleAesFilm : public ::testing::Test {
 protected:
  void make(const std::string& audio_options) {
    test::FilmShape shape;
    shape.seconds = "13";
    shape.size = "640x360";
    test::make_film(folder_ / "film", shape);
    if (!audio_options.empty()) {
      output_of("/usr/bin/ffmpeg -v error -y -f lavfi -i sine=f=440:r=48000:d=13 " + audio_options + " '" +
                (folder_ / "film/audio.mp4").string() + "'");
    }
    film_ = test::load_film(folder_ / "film");
    for (const bool encrypted : {false, true}) {
      const Packaging packaging = encrypted ? Packaging::ts_sample_aes : Packaging::ts;
      const std::filesystem::path folder = folder_ / (encrypted ? "encrypted" : "clear");
      test::write_file(folder / "master.m3u8", as_bytes(multivariant_playlist({film_.presentation, packaging})));
      test::write_file(folder / "key", key_.key);
      for (const Track& track : film_.presentation.tracks) {
        const std::string key_line = "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"" + (folder / "key").string() +
                                     "\",IV=0xfffefdfcfbfaf9f8f7f6f5f4f3f2f1f0\n";
        test::write_file(folder / track.id / "media.m3u8",
                         as_bytes(media_playlist(film_.presentation, track, packaging, encrypted ? key_line : "")));
        for (std::uint32_t n = 0; n < segment_count(*track.index, 3); ++n) {
          test::write_file(folder / track.id / (std::to_string(n) + ".ts"),
                           test::made_segment(film_, track, n, packaging, &key_));
        }
      }
    }
  }
  // The sum of each decoded picture or frame of sound.
  std::vector<std::string> decoded(const std::string& name, const std::string& stream) const {
    std::istringstream lines(output_of("/usr/bin/ffmpeg -v quiet " +
                                       std::string(name.ends_with(".m3u8") ? "-allowed_extensions ALL" : "") + " -i '" +
                                       (folder_ / name).string() + "' -map 0:" + stream +
                                       " -fps_mode passthrough -f framemd5 - | grep -v '^#' | sed 's/.*, *//'"));
    std::vector<std::string> sums;
    for (std::string line; std::getline(lines, line);) sums.push_back(line);
    return sums;
  }
  // FFmpeg 5.1 does not decrypt what its parsers give out only at the end of the last segment, which is the last
  // picture and the last frame of sound, and it tries to decode some of the sound before it decrypts it, and says so.
  void ffmpeg_decrypts(const std::string& stored, const std::string& stream) const {
    std::vector<std::string> expected = decoded(stored, stream);
    std::vector<std::string> found = decoded("encrypted/master.m3u8", stream);
    ASSERT_EQ(found.size(), expected.size());
    ASSERT_GT(found.size(), 300u);
    EXPECT_TRUE(std::equal(found.begin(), found.end() - 4, expected.begin()));
  }
  void plays() {
    for (const Track& track : film_.presentation.tracks) {
      const ByteView file = film_.file_of(track);
      const test::TsReader clear = read_all(*track.index, file, Packaging::ts, key_);
      const test::TsReader sent = read_all(*track.index, file, Packaging::ts_sample_aes, key_);
      EXPECT_THAT(clear.complaints, IsEmpty());
      expect_same(clear, sent, key_);
    }
    ffmpeg_decrypts("film/video.mp4", "v");
    ffmpeg_decrypts("clear/master.m3u8", "a");
  }
  Bytes audio_descriptors() {
    return read_all(*film_.audio().index, film_.audio_file, Packaging::ts_sample_aes, key_).descriptors;
  }

  test::TempDir folder_;
  Film film_;
  ContentKey key_ = test_key();
};

TEST_F(SampleAesFilm, Aac) {
  make("");
  plays();
  const Bytes expected = {15, 4, 'a', 'a', 'c', 'd', 5, 17, 'a', 'p', 'a', 'd', 'z', 'a', 'a', 'c', 0, 0, 1, 5};
  Bytes found = audio_descriptors();
  ASSERT_GE(found.size(), expected.size());
  found.resize(expected.size());
  EXPECT_EQ(found, expected);
}

TEST_F(SampleAesFilm, Ac3) {
  make("-c:a ac3 -ac 6 -b:a 384k");
  plays();
  const Bytes& file = film_.audio_file;
  const ByteView first = ByteView(file).subspan(film_.audio().index->units[0].file_offset, 10);
  const Bytes found = audio_descriptors();
  const Bytes expected = {15,  4,   'a', 'c', '3', 'd', 5,  22,   'a',  'p', 'a', 'd',      'z',
                          'a', 'c', '3', 0,   0,   1,   10, 0x0b, 0x77, 0,   0,   first[4], first[5]};
  ASSERT_EQ(found.size(), 30u);
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), found.begin())) << first[4] << " " << first[5];
  EXPECT_EQ(found[26] >> 5, first[6] >> 5);  // the channels' mode
}

TEST_F(SampleAesFilm, Eac3) {
  make("-c:a eac3 -ac 6 -b:a 256k");
  plays();
}

TEST(SampleAes, SoundThatIsNoneIsRefused) {
  auto samples = sample_aes(TsCodec::eac3, test_key());
  TsWriter writer(TsCodec::eac3);
  const Bytes frames(100, 0x77);
  samples->begin(frames.size());
  EXPECT_EQ(samples->take(frames, writer).error().code, ErrorCode::media_unsupported);
}

}  // namespace
}  // namespace reelway::origin::hls
