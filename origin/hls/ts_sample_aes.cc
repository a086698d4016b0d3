#include "origin/hls/ts_sample_aes.h"

#include <algorithm>
#include <cstring>
#include <vector>

#include "common/base/check.h"
#include "origin/hls/sample_cipher.h"
#include "origin/hls/segment_maker.h"

// Model: a part of a sample is copied to a buffer of the thread's, encrypted there, and written from there. Parts of a
// NAL unit are whole patterns, so that the cipher goes on where it was; what is left of a part is asked for again.

namespace reelway::origin::hls {
namespace {

constexpr std::size_t kBlock = 16;
constexpr std::size_t kPattern = 10;  // blocks, of which the first is encrypted
constexpr std::size_t kPictureLeader = 32, kFrameLeader = 16;
constexpr std::uint64_t kClearUnitMax = 48;
constexpr std::size_t kLengthBytes = 4;

// Room for one part, no longer valid when the next is asked for.
std::span<std::uint8_t> copied(ByteView part) {
  static thread_local std::vector<std::uint8_t> buffer(SegmentMaker::kInputBytesMax);
  CHECK(part.size() <= buffer.size());
  if (!part.empty()) std::memcpy(buffer.data(), part.data(), part.size());
  return std::span(buffer).first(part.size());
}

// Writes bytes so that no start code comes about among them: 3 stands before every byte below 4 that follows two zeros.
class Escaper {
 public:
  void begin() { zeros_ = 0; }
  void write(ByteView bytes, TsWriter& out);

 private:
  std::uint32_t zeros_ = 0;  // that the bytes so far end with, at most 2
};

// A zero that another follows, from `at` on, or the end. Zeros are rare in what is encrypted or compressed, so nearly
// all of the way is the library's search for one.
std::size_t zero_pair(ByteView bytes, std::size_t at) {
  while (at + 1 < bytes.size()) {
    const void* found = std::memchr(bytes.data() + at, 0, bytes.size() - 1 - at);
    if (found == nullptr) break;
    at = static_cast<std::size_t>(static_cast<const std::uint8_t*>(found) - bytes.data());
    if (bytes[at + 1] == 0) return at;
    at += 2;
  }
  return bytes.size();
}

void Escaper::write(ByteView bytes, TsWriter& out) {
  static constexpr std::uint8_t kPrevention[1] = {3};
  std::size_t written = 0;
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (zeros_ == 2 && bytes[at] <= 3) {
      out.write(bytes.subspan(written, at - written));
      out.write(kPrevention);
      written = at;
      zeros_ = 0;
    }
    if (zeros_ > 0 || bytes[at] == 0) {
      zeros_ = bytes[at] == 0 ? std::min(zeros_ + 1, 2u) : 0;
      ++at;
      continue;
    }
    const std::size_t pair = zero_pair(bytes, at);
    at = pair;
    if (pair == bytes.size()) {
      zeros_ = bytes.back() == 0 ? 1 : 0;  // not the second of a pair, or that would have been found
    }
  }
  out.write(bytes.subspan(written));
}

class EncryptedPictures final : public TsSamples {
 public:
  explicit EncryptedPictures(const ContentKey& key) : cipher_(cbc_cipher(key, kPattern)) {
    cipher_->begin_sample(key.iv);
  }
  void begin(std::uint64_t bytes) override { units_.begin(bytes); }
  Result<std::size_t> take(ByteView media, TsWriter& out) override;

 private:
  std::size_t take_clear(ByteView media, TsWriter& out);
  std::size_t take_encrypted(ByteView media, TsWriter& out);

  std::unique_ptr<SampleCipher> cipher_;
  NalUnits units_;
  bool blank_ = false;
  bool encrypted_ = false;  // the current unit
  bool leader_ = false;     // its first bytes are still to come
  Escaper escaper_;
};

std::size_t EncryptedPictures::take_clear(ByteView media, TsWriter& out) {
  const std::size_t count = units_.body(media);
  if (blank_) {
    write_zeros(out, count);
  } else {
    out.write(media.first(count));
  }
  return count;
}

// 0 if `media` has neither the rest of the unit nor a whole pattern.
std::size_t EncryptedPictures::take_encrypted(ByteView media, TsWriter& out) {
  const std::size_t leader = leader_ ? kPictureLeader : 0;
  const std::uint64_t left = units_.unit_left();
  std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(left, media.size()));
  if (count < left) {
    const std::size_t stride = cipher_->part_bytes();
    if (count < leader + stride) return 0;
    count = leader + (count - leader) / stride * stride;
  }
  const std::span<std::uint8_t> part = copied(media.first(count));
  if (leader_) cipher_->begin_run();
  leader_ = false;
  // A block is encrypted only if something follows it.
  std::span<std::uint8_t> body = part.subspan(leader);
  if (count == left && body.size() % cipher_->part_bytes() == kBlock) body = body.first(body.size() - kBlock);
  cipher_->encrypt(body);
  escaper_.write(part, out);
  units_.body(media.first(count));
  return count;
}

Result<std::size_t> EncryptedPictures::take(ByteView media, TsWriter& out) {
  std::size_t used = 0;
  while (used < media.size()) {
    if (units_.at_unit_begin()) {
      const ByteView rest = media.subspan(used);
      if (rest.size() < units_.begin_bytes()) break;
      const auto step = units_.begin_unit(rest);
      if (!step) return step.error();
      blank_ = step->blank;
      encrypted_ = (step->type() == 1 || step->type() == 5) && step->length > kClearUnitMax;
      leader_ = encrypted_;
      escaper_.begin();
      if (blank_) {
        write_zeros(out, kLengthBytes);
      } else {
        out.write(kStartCode);
      }
      used += kLengthBytes;
    }
    if (units_.at_unit_begin()) continue;  // it has no bytes
    const ByteView rest = media.subspan(used);
    const std::size_t count = encrypted_ ? take_encrypted(rest, out) : take_clear(rest, out);
    if (count == 0) break;
    used += count;
  }
  return used;
}

// A frame is taken whole: a maker refuses those that are longer than what it is given at once.
class EncryptedFrames final : public TsSamples {
 public:
  EncryptedFrames(const ContentKey& key, bool in_syncframes)
      : cipher_(cbc_cipher(key, 1)), in_syncframes_(in_syncframes) {
    cipher_->begin_sample(key.iv);
  }
  void begin(std::uint64_t bytes) override { bytes_ = bytes; }
  Result<std::size_t> take(ByteView media, TsWriter& out) override;

 private:
  Result<std::size_t> frame_bytes(ByteView frames) const;

  std::unique_ptr<SampleCipher> cipher_;
  bool in_syncframes_;
  std::uint64_t bytes_ = 0;
};

// The first of some frames. Those of E-AC-3 say how long they are (ETSI TS 102 366 annex E section 1.3.1.3); one of
// AC-3 among them (bsid up to 10) is alone in its sample.
Result<std::size_t> EncryptedFrames::frame_bytes(ByteView frames) const {
  if (!in_syncframes_) return frames.size();
  ByteReader reader(frames);
  const std::uint16_t sync_word = reader.u16();
  const std::uint16_t size = reader.u16();
  reader.u8();
  const std::uint32_t version = reader.u8() >> 3;
  if (!reader.failed() && sync_word == 0x0b77 && version <= 10) return frames.size();
  const std::size_t bytes = (std::size_t{size} % 2048 + 1) * 2;
  if (reader.failed() || sync_word != 0x0b77 || bytes > frames.size()) {
    return Error{ErrorCode::media_unsupported, Side::disk, false, "a sample of E-AC-3 does not consist of syncframes"};
  }
  return bytes;
}

Result<std::size_t> EncryptedFrames::take(ByteView media, TsWriter& out) {
  if (media.size() < bytes_) return std::size_t{0};
  const std::span<std::uint8_t> frames = copied(media);
  for (std::size_t at = 0; at < frames.size();) {
    const auto bytes = frame_bytes(frames.subspan(at));
    if (!bytes) return bytes.error();
    if (*bytes > kFrameLeader) {
      cipher_->begin_run();
      cipher_->encrypt(frames.subspan(at + kFrameLeader, *bytes - kFrameLeader));
    }
    at += *bytes;
  }
  out.write(frames);
  return media.size();
}

}  // namespace

std::unique_ptr<TsSamples> sample_aes(TsCodec codec, const ContentKey& key) {
  if (codec == TsCodec::avc) return std::make_unique<EncryptedPictures>(key);
  return std::make_unique<EncryptedFrames>(key, codec == TsCodec::eac3);
}

}  // namespace reelway::origin::hls
