#include "origin/mp4/movie.h"

#include "origin/mp4/box.h"

// Model: a walk down moov/trak/mdia/minf/stbl that keeps what packaging needs. Each box may appear once; what is
// required is asked for at the end of its parent. Sample tables are kept as views: their sizes are checked where they
// are expanded.

namespace reelway::origin::mp4 {
namespace {

constexpr std::uint32_t kTimescaleMax = 1'000'000'000;
constexpr std::uint32_t kEditsMax = 64;

struct FullBox {
  std::uint8_t version = 0;
  ByteReader reader;
};

FullBox open_full_box(const Box& box) {
  FullBox full{0, ByteReader(box.body)};
  full.version = full.reader.u8();
  full.reader.u24();
  return full;
}

// mvhd and mdhd both begin so: creation and modification time, timescale, duration.
Result<std::uint32_t> read_timescale(FullBox& full, FourCc type) {
  if (full.version > 1) return malformed(type, "version " + std::to_string(full.version) + " is unknown");
  full.reader.skip(full.version == 1 ? 16 : 8);
  const std::uint32_t timescale = full.reader.u32();
  full.reader.skip(full.version == 1 ? 8 : 4);
  if (full.reader.failed()) return malformed(type, "cut short");
  if (timescale == 0 || timescale > kTimescaleMax) {
    return malformed(type, "timescale " + std::to_string(timescale) + " is not from 1 to 1000000000");
  }
  return timescale;
}

Result<void> parse_mvhd(const Box& box, Movie& movie) {
  FullBox full = open_full_box(box);
  auto timescale = read_timescale(full, box.type);
  if (!timescale) return timescale.error();
  movie.movie_timescale = *timescale;
  return {};
}

Result<void> parse_mdhd(const Box& box, Movie& movie) {
  FullBox full = open_full_box(box);
  auto timescale = read_timescale(full, box.type);
  if (!timescale) return timescale.error();
  movie.timescale = *timescale;
  movie.language = full.reader.u16();
  if (full.reader.failed()) return malformed(box.type, "cut short");
  return {};
}

// Width and height are 16.16 and already account for the sample aspect ratio. A matrix that turns by a quarter swaps
// them.
Result<void> parse_tkhd(const Box& box, Movie& movie) {
  FullBox full = open_full_box(box);
  if (full.version > 1) return malformed(box.type, "version " + std::to_string(full.version) + " is unknown");
  full.reader.skip(full.version == 1 ? 32 : 20);
  full.reader.skip(16);
  const std::uint32_t a = full.reader.u32();
  const std::uint32_t b = full.reader.u32();
  full.reader.skip(28);
  movie.width = (full.reader.u32() + 0x8000u) >> 16;
  movie.height = (full.reader.u32() + 0x8000u) >> 16;
  if (full.reader.failed()) return malformed(box.type, "cut short");
  if (a == 0 && b != 0) std::swap(movie.width, movie.height);
  return {};
}

Result<void> parse_hdlr(const Box& box, Movie& movie) {
  FullBox full = open_full_box(box);
  full.reader.skip(4);
  movie.handler = full.reader.u32();
  if (full.reader.failed()) return malformed(box.type, "cut short");
  return {};
}

struct EditEntry {
  std::uint64_t duration = 0;
  std::int64_t media_time = 0;
};

Result<void> add_edit(const EditEntry& entry, bool& has_media, Edit& edit) {
  constexpr FourCc type = four_cc("elst");
  if (has_media) return unsupported(type, "more than one edit of media: join the film into one timeline first");
  if (entry.media_time == -1) {
    if (entry.duration > UINT64_MAX - edit.empty_duration) return malformed(type, "empty edits overflow");
    edit.empty_duration += entry.duration;
    return {};
  }
  if (entry.media_time < 0) return malformed(type, "media_time is below -1");
  has_media = true;
  edit.media_time = static_cast<std::uint64_t>(entry.media_time);
  if (entry.duration != 0) edit.duration = entry.duration;
  return {};
}

Result<void> parse_elst(const Box& box, Movie& movie) {
  FullBox full = open_full_box(box);
  if (full.version > 1) return malformed(box.type, "version " + std::to_string(full.version) + " is unknown");
  const bool wide = full.version == 1;
  const std::uint32_t count = full.reader.u32();
  if (count > kEditsMax) return unsupported(box.type, std::to_string(count) + " edits, at most 64 are read");
  bool has_media = false;
  for (std::uint32_t i = 0; i < count; ++i) {
    EditEntry entry;
    entry.duration = wide ? full.reader.u64() : full.reader.u32();
    entry.media_time = wide ? full.reader.i64() : full.reader.i32();
    const std::uint32_t rate = full.reader.u32();
    if (full.reader.failed()) return malformed(box.type, "cut short at entry " + std::to_string(i));
    if (rate != 0x10000) return unsupported(box.type, "an edit with a rate other than 1");
    REELWAY_TRY(add_edit(entry, has_media, movie.edit));
  }
  return {};
}

std::optional<ByteView>* table_slot(SampleTables& tables, FourCc type) {
  switch (type) {
    case four_cc("stsd"): return &tables.stsd;
    case four_cc("stts"): return &tables.stts;
    case four_cc("ctts"): return &tables.ctts;
    case four_cc("stss"): return &tables.stss;
    case four_cc("stsc"): return &tables.stsc;
    case four_cc("stsz"): return &tables.stsz;
    case four_cc("stz2"): return &tables.stz2;
    case four_cc("stco"): return &tables.stco;
    case four_cc("co64"): return &tables.co64;
    default: return nullptr;
  }
}

Result<void> parse_stbl(const Box& stbl, Movie& movie) {
  return for_each_child(stbl.body, stbl.type, [&](const Box& box) -> Result<void> {
    std::optional<ByteView>* slot = table_slot(movie.tables, box.type);
    if (slot == nullptr) return {};
    if (slot->has_value()) return malformed(box.type, "appears twice");
    *slot = box.body;
    return {};
  });
}

// Remembers which boxes were met, to refuse a second one and to name a missing one.
class Once {
 public:
  Result<void> see(FourCc type) {
    for (const FourCc seen : seen_) {
      if (seen == type) return malformed(type, "appears twice");
    }
    seen_.push_back(type);
    return {};
  }
  Result<void> require(FourCc parent, std::initializer_list<FourCc> types) const {
    for (const FourCc type : types) {
      bool met = false;
      for (const FourCc seen : seen_) met |= seen == type;
      if (!met) return malformed(parent, "has no " + four_cc_text(type));
    }
    return {};
  }

 private:
  std::vector<FourCc> seen_;
};

using Parser = Result<void> (*)(const Box&, Movie&);
struct ChildRule {
  FourCc type;
  Parser parse;
};

Result<void> parse_children(const Box& parent, Movie& movie, std::span<const ChildRule> rules, Once& once) {
  return for_each_child(parent.body, parent.type, [&](const Box& box) -> Result<void> {
    for (const ChildRule& rule : rules) {
      if (rule.type != box.type) continue;
      REELWAY_TRY(once.see(box.type));
      return rule.parse(box, movie);
    }
    return {};
  });
}

Result<void> parse_minf(const Box& box, Movie& movie) {
  static constexpr ChildRule rules[] = {{four_cc("stbl"), parse_stbl}};
  Once once;
  REELWAY_TRY(parse_children(box, movie, rules, once));
  return once.require(box.type, {four_cc("stbl")});
}

Result<void> parse_mdia(const Box& box, Movie& movie) {
  static constexpr ChildRule rules[] = {
      {four_cc("mdhd"), parse_mdhd}, {four_cc("hdlr"), parse_hdlr}, {four_cc("minf"), parse_minf}};
  Once once;
  REELWAY_TRY(parse_children(box, movie, rules, once));
  return once.require(box.type, {four_cc("mdhd"), four_cc("hdlr"), four_cc("minf")});
}

Result<void> parse_edts(const Box& box, Movie& movie) {
  static constexpr ChildRule rules[] = {{four_cc("elst"), parse_elst}};
  Once once;
  return parse_children(box, movie, rules, once);
}

Result<void> parse_trak(const Box& box, Movie& movie) {
  static constexpr ChildRule rules[] = {
      {four_cc("tkhd"), parse_tkhd}, {four_cc("edts"), parse_edts}, {four_cc("mdia"), parse_mdia}};
  Once once;
  REELWAY_TRY(parse_children(box, movie, rules, once));
  return once.require(box.type, {four_cc("tkhd"), four_cc("mdia")});
}

Result<void> refuse_fragments(const Box& box, Movie&) {
  return unsupported(box.type, "the file is fragmented, a track file must have its samples in moov");
}

}  // namespace

Result<Movie> parse_movie(ByteView moov) {
  constexpr FourCc type = four_cc("moov");
  const auto header = next_box_header(moov);
  if (!header) return header.error();
  if (header->type != type) return malformed(header->type, "expected moov");
  if (header->size != 0 && header->size != moov.size()) {
    return malformed(type, "states " + std::to_string(header->size) + " bytes, given " + std::to_string(moov.size()));
  }
  static constexpr ChildRule rules[] = {
      {four_cc("mvhd"), parse_mvhd}, {four_cc("trak"), parse_trak}, {four_cc("mvex"), refuse_fragments}};
  Movie movie;
  Once once;
  const Box box{type, moov, moov.subspan(header->header_bytes)};
  auto parsed = parse_children(box, movie, rules, once);
  if (!parsed) return std::move(parsed).error();
  auto complete = once.require(type, {four_cc("mvhd"), four_cc("trak")});
  if (!complete) return std::move(complete).error();
  return movie;
}

}  // namespace reelway::origin::mp4
