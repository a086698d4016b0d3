#include "origin/hls/protected_segment.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>

#include <algorithm>
#include <map>
#include <set>

#include "common/base/encoding.h"
#include "origin/hls/protected_init.h"
#include "origin/hls/whole_segment.h"
#include "origin/mp4/box.h"
#include "tests/support/film.h"

// Protected segments of films that ffmpeg made here: taken apart by a decryptor that knows only the boxes, and decoded
// by ffmpeg with the key. Both must find what the track file has.

namespace reelway::origin::hls {
namespace {

using mp4::four_cc;
using test::Film;
using test::output_of;

ContentKey test_key() {
  ContentKey key;
  for (std::size_t i = 0; i < 16; ++i) {
    key.id[i] = static_cast<std::uint8_t>(0xa0 + i);
    key.key[i] = static_cast<std::uint8_t>(0x10 + 7 * i);
    key.iv[i] = static_cast<std::uint8_t>(0xf0 - 5 * i);
  }
  key.track = 3;
  return key;
}

struct Made {
  Bytes segment;
  Bytes notes;
};

// As computed_body drives it.
Made make(SegmentMaker& maker, const Bytes& file) {
  Made made;
  Bytes output(SegmentMaker::kOutputBytesMax);
  for (auto input = maker.next(); input.bytes > 0; input = maker.next()) {
    EXPECT_LE(input.bytes, SegmentMaker::kInputBytesMax);
    const Bytes media(file.begin() + static_cast<std::ptrdiff_t>(input.offset),
                      file.begin() + static_cast<std::ptrdiff_t>(input.offset + input.bytes));
    const auto count = maker.take(media, output);
    EXPECT_TRUE(count.ok()) << describe(count.error());
    if (!count) return made;
    made.segment.insert(made.segment.end(), output.begin(), output.begin() + static_cast<std::ptrdiff_t>(*count));
  }
  made.notes = maker.notes();
  return made;
}

SegmentOrder order_of(const Film& film, const Track& track, std::uint32_t segment, Packaging packaging,
                      const ContentKey& key) {
  return {.index = *track.index,
          .units_per_segment = film.presentation.units_per_segment,
          .segment = segment,
          .packaging = packaging,
          .key = &key};
}

Made make(const Film& film, const Track& track, std::uint32_t segment, Packaging packaging, const ContentKey& key) {
  const auto maker = make_segment_maker(order_of(film, track, segment, packaging, key));
  EXPECT_TRUE(maker.ok()) << describe(maker.error());
  return make(**maker, film.file_of(track));
}

std::map<std::string, Bytes> boxes_of(ByteView bytes, const std::string& parent = {}) {
  std::map<std::string, Bytes> boxes;
  EXPECT_TRUE(mp4::for_each_child(bytes, four_cc("file"), [&](const mp4::Box& box) -> Result<void> {
                const std::string path = parent + mp4::four_cc_text(box.type);
                boxes.emplace(path, Bytes(box.body.begin(), box.body.end()));
                for (const char* container : {"moof", "traf", "moov", "trak", "mdia", "minf", "stbl", "sinf", "schi"}) {
                  if (mp4::four_cc_text(box.type) == container) boxes.merge(boxes_of(box.body, path + "/"));
                }
                const std::size_t fixed = box.type == four_cc("stsd")   ? 8
                                          : box.type == four_cc("encv") ? 78
                                          : box.type == four_cc("enca") ? 28
                                                                        : 0;
                if (fixed > 0) boxes.merge(boxes_of(box.body.subspan(fixed), path + "/"));
                return {};
              }).ok());
  return boxes;
}

// AES-128, one block, the slow and plain way.
std::array<std::uint8_t, 16> block_of(const ContentKey& key, const std::uint8_t* in, bool encrypt) {
  std::array<std::uint8_t, 32> out{};
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  int count = 0;
  EXPECT_EQ(EVP_CipherInit_ex(context, EVP_aes_128_ecb(), nullptr, key.key.data(), nullptr, encrypt ? 1 : 0), 1);
  EVP_CIPHER_CTX_set_padding(context, 0);
  EXPECT_EQ(EVP_CipherUpdate(context, out.data(), &count, in, 16), 1);
  EVP_CIPHER_CTX_free(context);
  std::array<std::uint8_t, 16> block{};
  std::copy_n(out.begin(), 16, block.begin());
  return block;
}

// What a player does, from the standard: cbcs with a constant IV, cenc with those of senc.
class Decryptor {
 public:
  Decryptor(const ContentKey& key, bool cbcs, bool video) : key_(key), cbcs_(cbcs), stride_(cbcs && video ? 160 : 16) {}

  void begin_sample(ByteView iv) {
    counter_.fill(0);
    std::copy(iv.begin(), iv.end(), counter_.begin());
    used_ = 16;
  }
  void run(std::uint8_t* data, std::size_t bytes) { cbcs_ ? chain(data, bytes) : count(data, bytes); }

 private:
  void chain(std::uint8_t* data, std::size_t bytes) const {
    std::array<std::uint8_t, 16> before = key_.iv;
    for (std::size_t at = 0; at + 16 <= bytes; at += stride_) {
      std::array<std::uint8_t, 16> cipher{};
      std::copy_n(data + at, 16, cipher.begin());
      const auto plain = block_of(key_, cipher.data(), false);
      for (std::size_t i = 0; i < 16; ++i) data[at + i] = plain[i] ^ before[i];
      before = cipher;
    }
  }
  void count(std::uint8_t* data, std::size_t bytes) {
    for (std::size_t at = 0; at < bytes; ++at) {
      if (used_ == 16) {
        stream_ = block_of(key_, counter_.data(), true);
        for (std::size_t i = 16; i-- > 8 && ++counter_[i] == 0;) {
        }
        used_ = 0;
      }
      data[at] ^= stream_[used_++];
    }
  }

  const ContentKey& key_;
  bool cbcs_;
  std::size_t stride_;
  std::array<std::uint8_t, 16> counter_{}, stream_{};
  std::size_t used_ = 16;
};

struct Opened {
  Bytes media;
  std::uint64_t encrypted = 0;  // bytes within runs
  std::set<std::string> ivs;
};

Opened open(const Bytes& segment, const std::vector<mp4::Sample>& samples, const ContentKey& key, bool cbcs,
            bool video) {
  const auto boxes = boxes_of(segment);
  Opened opened;
  opened.media = boxes.at("mdat");
  ByteReader senc(boxes.at("moof/traf/senc"));
  const std::uint32_t flags = senc.u32();
  EXPECT_EQ(flags, video ? 2u : 0u);
  EXPECT_EQ(senc.u32(), samples.size());
  Decryptor decryptor(key, cbcs, video);
  std::size_t at = 0;
  for (const mp4::Sample& sample : samples) {
    const std::size_t end = at + sample.bytes;
    if (!cbcs) {
      const ByteView iv = senc.take(8);
      opened.ivs.insert(hex(iv));
      decryptor.begin_sample(iv);
    }
    const std::uint32_t runs = video ? senc.u16() : 1;
    for (std::uint32_t i = 0; i < runs; ++i) {
      if (video) at += senc.u16();
      const std::size_t bytes = video ? senc.u32() : sample.bytes;
      EXPECT_LE(at + bytes, end);
      if (!cbcs && video) {
        EXPECT_EQ(bytes % 16, 0u);
      }
      decryptor.run(opened.media.data() + at, bytes);
      at += bytes;
      opened.encrypted += bytes;
    }
    EXPECT_EQ(at, end);
  }
  EXPECT_TRUE(senc.at_end() && !senc.failed());
  return opened;
}

// saio points at senc's first entry, and saiz has the entries' sizes.
void expect_auxiliary_in_place(const Bytes& segment, std::size_t samples) {
  const auto boxes = boxes_of(segment);
  const ByteView whole(segment);
  const std::size_t moof = ByteReader(whole).u32();
  ByteReader saio(boxes.at("moof/traf/saio"));
  saio.skip(8);
  const Bytes& senc = boxes.at("moof/traf/senc");
  const ByteView pointed = whole.subspan(moof + saio.u32(), senc.size() - 8);
  EXPECT_TRUE(std::equal(pointed.begin(), pointed.end(), senc.begin() + 8));
  ByteReader saiz(boxes.at("moof/traf/saiz"));
  saiz.skip(4);
  const std::uint8_t same = saiz.u8();
  EXPECT_EQ(saiz.u32(), samples);
  std::size_t sum = same * samples;
  for (std::size_t i = 0; same == 0 && i < samples; ++i) sum += saiz.u8();
  EXPECT_EQ(sum, senc.size() - 8);
}

struct Codec {
  const char* name;
  const char* options;
};

class ProtectedFilm : public ::testing::TestWithParam<Codec> {
 protected:
  void SetUp() override {
    test::FilmShape shape;
    shape.video_options = GetParam().options;
    shape.size = "640x360";
    test::make_film(folder_ / "film", shape);
    film_ = test::load_film(folder_ / "film");
  }

  void opens_to_the_track_file(Packaging packaging);
  void ffmpeg_decodes_the_same(Packaging packaging);

  test::TempDir folder_;
  Film film_;
  ContentKey key_ = test_key();
};

void ProtectedFilm::opens_to_the_track_file(Packaging packaging) {
  const bool cbcs = packaging == Packaging::cbcs;
  for (const Track& track : film_.presentation.tracks) {
    const bool video = track.index->kind == mp4::TrackKind::video;
    std::size_t samples_seen = 0;
    std::set<std::string> ivs;
    for (std::uint32_t n = 0; n < segment_count(*track.index, 3); ++n) {
      const auto plan = plan_segment(*track.index, 3, n);
      const auto samples = mp4::samples_of(*track.index, plan->first_unit, plan->unit_count);
      const Made made = make(film_, track, n, packaging, key_);
      Opened opened = open(made.segment, samples, key_, cbcs, video);
      const Bytes& file = film_.file_of(track);
      const auto begin = file.begin() + static_cast<std::ptrdiff_t>(plan->file_offset);
      EXPECT_TRUE(std::equal(opened.media.begin(), opened.media.end(), begin,
                             begin + static_cast<std::ptrdiff_t>(plan->file_bytes)))
          << track.id << " " << n;
      EXPECT_GT(opened.encrypted, plan->file_bytes * 9 / 10) << track.id;
      if (!cbcs || video) expect_auxiliary_in_place(made.segment, samples.size());
      ivs.merge(opened.ivs);
      samples_seen += samples.size();

      SegmentOrder again = order_of(film_, track, n, packaging, key_);
      again.notes = made.notes;
      EXPECT_EQ(video, !made.notes.empty());
      EXPECT_EQ(make(**make_segment_maker(again), file).segment, made.segment);
    }
    if (!cbcs) {
      EXPECT_EQ(ivs.size(), samples_seen);
    }
  }
}

void ProtectedFilm::ffmpeg_decodes_the_same(Packaging packaging) {
  for (const Track& track : film_.presentation.tracks) {
    Bytes whole = protected_init_segment(track, packaging, key_, {});
    for (std::uint32_t n = 0; n < segment_count(*track.index, 3); ++n) {
      const Bytes segment = make(film_, track, n, packaging, key_).segment;
      whole.insert(whole.end(), segment.begin(), segment.end());
    }
    test::write_file(folder_ / "protected.mp4", whole);
    const bool video = track.index->kind == mp4::TrackKind::video;
    // As a stream: of a file in which it can seek, FFmpeg 5.1 takes the IVs of one fragment for those of another.
    const std::string opened =
        output_of("cat '" + (folder_ / "protected.mp4").string() + "' | /usr/bin/ffmpeg -v warning -decryption_key " +
                  hex(key_.key) + " -i pipe: -fps_mode passthrough -f md5 - 2>&1");
    const std::string clear = output_of("/usr/bin/ffmpeg -v warning -i '" +
                                        (folder_ / (video ? "film/video.mp4" : "film/audio.mp4")).string() +
                                        "' -fps_mode passthrough -f md5 - 2>&1");
    EXPECT_EQ(opened, clear) << track.id;
  }
}

TEST_P(ProtectedFilm, CbcsOpensToTheTrackFile) {
  opens_to_the_track_file(Packaging::cbcs);
}

TEST_P(ProtectedFilm, CencOpensToTheTrackFile) {
  opens_to_the_track_file(Packaging::cenc);
}

TEST_P(ProtectedFilm, FfmpegDecodesCenc) {
  ffmpeg_decodes_the_same(Packaging::cenc);
}

TEST_P(ProtectedFilm, FfmpegDecodesCbcs) {
  ffmpeg_decodes_the_same(Packaging::cbcs);
}

TEST_P(ProtectedFilm, WholeSegmentsOpenToClearOnes) {
  for (const Track& track : film_.presentation.tracks) {
    for (std::uint32_t n = 0; n < segment_count(*track.index, 3); ++n) {
      const Bytes clear = test::segment_of(film_, track, n);
      EXPECT_EQ(make(film_, track, n, Packaging::aes, key_).segment, encrypt_whole(clear, key_));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Films, ProtectedFilm,
    ::testing::Values(
        Codec{"Avc", "-bf 3"}, Codec{"AvcSlices", "-bf 2 -slices 4 -x264-params weightp=2:8x8dct=1:cabac=1"},
        Codec{"AvcCavlc", "-x264-params cabac=0:ref=4:weightp=1:no-deblock=1"},
        Codec{"AvcInterlaced", "-flags +ildct+ilme -x264-params interlaced=1:bframes=3:b-pyramid=normal"},
        Codec{"Hevc", "-c:v libx265 -tag:v hvc1 -x265-params log-level=none:bframes=3:weightb=1:open-gop=0"},
        Codec{"HevcSlices", "-c:v libx265 -tag:v hvc1 -x265-params log-level=none:slices=3:wpp=1:ref=5:open-gop=0"}),
    [](const auto& codec) { return std::string(codec.param.name); });

TEST(ProtectedInit, SaysHowSamplesAreEncrypted) {
  test::TempDir folder;
  test::make_film(folder / "film", {});
  const Film film = test::load_film(folder / "film");
  const ContentKey key = test_key();
  const std::string id = hex(key.id), iv = hex(key.iv);
  const auto tenc = [&](const Track& track, Packaging packaging) {
    const auto boxes = boxes_of(protected_init_segment(track, packaging, key, {}));
    const std::string entry = track.index->kind == mp4::TrackKind::video ? "encv" : "enca";
    const std::string sinf = "moov/trak/mdia/minf/stbl/stsd/" + entry + "/sinf/";
    EXPECT_EQ(as_text(boxes.at(sinf + "frma")), entry == "encv" ? "avc1" : "mp4a");
    EXPECT_EQ(as_text(ByteView(boxes.at(sinf + "schm")).subspan(4, 4)), traits(packaging).folder);
    EXPECT_EQ(hex(boxes.at("moov/pssh")), "010000001077efecc0b24d02ace33c1e52e2fb4b00000001" + id + "00000000");
    return hex(boxes.at(sinf + "schi/tenc"));
  };
  EXPECT_EQ(tenc(film.video(), Packaging::cbcs), "0100000000190100" + id + "10" + iv);
  EXPECT_EQ(tenc(film.audio(), Packaging::cbcs), "0100000000000100" + id + "10" + iv);
  EXPECT_EQ(tenc(film.video(), Packaging::cenc), "0000000000000108" + id);
  EXPECT_EQ(tenc(film.audio(), Packaging::cenc), "0000000000000108" + id);
}

TEST(CencIv, DiffersByTrackAndSample) {
  ContentKey key = test_key();
  EXPECT_EQ(hex(cenc_iv(key, 0)), "00030000000000010000000000000000");
  key.track = 0xffff;
  EXPECT_EQ(hex(cenc_iv(key, 0xfffe)), "ffff00000000ffff0000000000000000");
}

}  // namespace
}  // namespace reelway::origin::hls
