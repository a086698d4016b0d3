#include "origin/mp4/language.h"

namespace reelway::origin::mp4 {
namespace {

// ISO 639-1 code (2 letters) and ISO 639-2/T code (3 letters) of each language that has both, and a space.
constexpr std::string_view kCodes =
    "aaaar ababk aeave afafr akaka amamh anarg arara asasm avava ayaym azaze babak bebel bgbul bibis bmbam bnben "
    "bobod brbre bsbos cacat ceche chcha cocos crcre csces cuchu cvchv cycym dadan dedeu dvdiv dzdzo eeewe elell "
    "eneng eoepo esspa etest eueus fafas ffful fifin fjfij fofao frfra fyfry gagle gdgla glglg gngrn guguj gvglv "
    "hahau heheb hihin hohmo hrhrv hthat huhun hyhye hzher iaina idind ieile igibo iiiii ikipk ioido isisl itita "
    "iuiku jajpn jvjav kakat kgkon kikik kjkua kkkaz klkal kmkhm knkan kokor krkau kskas kukur kvkom kwcor kykir "
    "lalat lbltz lglug lilim lnlin lolao ltlit lulub lvlav mgmlg mhmah mimri mkmkd mlmal mnmon mrmar msmsa mtmlt "
    "mymya nanau nbnob ndnde nenep ngndo nlnld nnnno nonor nrnbl nvnav nynya ococi ojoji omorm orori ososs papan "
    "pipli plpol pspus ptpor quque rmroh rnrun roron rurus rwkin sasan scsrd sdsnd sesme sgsag sisin skslk slslv "
    "smsmo snsna sosom sqsqi srsrp ssssw stsot susun svswe swswa tatam tetel tgtgk ththa titir tktuk tltgl tntsn "
    "toton trtur tstso tttat twtwi tytah uguig ukukr ururd uzuzb veven vivie vovol wawln wowol xhxho yiyid yoyor "
    "zazha zhzho zuzul ";
constexpr std::size_t kRow = 6;
static_assert(kCodes.size() % kRow == 0);

constexpr bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

std::uint16_t pack(std::string_view code) {
  std::uint16_t packed = 0;
  for (const char c : code) packed = static_cast<std::uint16_t>(packed << 5 | (c - 'a' + 1));
  return packed;
}

}  // namespace

std::string language_tag(std::uint16_t packed) {
  std::string code;
  for (int shift = 10; shift >= 0; shift -= 5) {
    const char c = static_cast<char>('a' - 1 + (packed >> shift & 31));
    if (!is_lower(c)) return "und";
    code += c;
  }
  for (std::size_t row = 0; row < kCodes.size(); row += kRow) {
    if (kCodes.substr(row + 2, 3) == code) return std::string(kCodes.substr(row, 2));
  }
  return code;
}

std::uint16_t packed_language(std::string_view tag) {
  const std::string_view first = tag.substr(0, tag.find('-'));
  for (const char c : first) {
    if (!is_lower(c)) return pack("und");
  }
  if (first.size() == 3) return pack(first);
  for (std::size_t row = 0; row < kCodes.size(); row += kRow) {
    if (kCodes.substr(row, 2) == first) return pack(kCodes.substr(row + 2, 3));
  }
  return pack("und");
}

}  // namespace reelway::origin::mp4
