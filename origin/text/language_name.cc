#include "origin/text/language_name.h"

#include <algorithm>
#include <array>

namespace reelway::origin::text {
namespace {

struct Name {
  std::string_view tag, name;
};

// Sorted by tag. Regions and scripts stand here where people tell them apart by another word than their code.
constexpr std::array kNames = {Name{"ar", "العربية"},
                               Name{"bg", "Български"},
                               Name{"bn", "বাংলা"},
                               Name{"ca", "Català"},
                               Name{"cs", "Čeština"},
                               Name{"cy", "Cymraeg"},
                               Name{"da", "Dansk"},
                               Name{"de", "Deutsch"},
                               Name{"el", "Ελληνικά"},
                               Name{"en", "English"},
                               Name{"en-GB", "English (UK)"},
                               Name{"en-US", "English (US)"},
                               Name{"es", "Español"},
                               Name{"es-419", "Español (Latinoamérica)"},
                               Name{"es-ES", "Español (España)"},
                               Name{"es-MX", "Español (México)"},
                               Name{"et", "Eesti"},
                               Name{"eu", "Euskara"},
                               Name{"fa", "فارسی"},
                               Name{"fi", "Suomi"},
                               Name{"fr", "Français"},
                               Name{"fr-CA", "Français (Canada)"},
                               Name{"ga", "Gaeilge"},
                               Name{"gl", "Galego"},
                               Name{"he", "עברית"},
                               Name{"hi", "हिन्दी"},
                               Name{"hr", "Hrvatski"},
                               Name{"hu", "Magyar"},
                               Name{"id", "Indonesia"},
                               Name{"is", "Íslenska"},
                               Name{"it", "Italiano"},
                               Name{"ja", "日本語"},
                               Name{"ko", "한국어"},
                               Name{"lt", "Lietuvių"},
                               Name{"lv", "Latviešu"},
                               Name{"ms", "Melayu"},
                               Name{"nb", "Norsk bokmål"},
                               Name{"nl", "Nederlands"},
                               Name{"nn", "Norsk nynorsk"},
                               Name{"no", "Norsk"},
                               Name{"pl", "Polski"},
                               Name{"pt", "Português"},
                               Name{"pt-BR", "Português (Brasil)"},
                               Name{"pt-PT", "Português (Portugal)"},
                               Name{"ro", "Română"},
                               Name{"ru", "Русский"},
                               Name{"sk", "Slovenčina"},
                               Name{"sl", "Slovenščina"},
                               Name{"sr", "Српски"},
                               Name{"sv", "Svenska"},
                               Name{"ta", "தமிழ்"},
                               Name{"te", "తెలుగు"},
                               Name{"th", "ไทย"},
                               Name{"tr", "Türkçe"},
                               Name{"uk", "Українська"},
                               Name{"vi", "Tiếng Việt"},
                               Name{"zh", "中文"},
                               Name{"zh-Hans", "中文（简体）"},
                               Name{"zh-Hant", "中文（繁體）"}};

std::string_view known_name(std::string_view tag) {
  const auto place = std::lower_bound(kNames.begin(), kNames.end(), tag,
                                      [](const Name& one, std::string_view of) { return one.tag < of; });
  return place != kNames.end() && place->tag == tag ? place->name : std::string_view{};
}

}  // namespace

std::string language_name(std::string_view tag) {
  if (const std::string_view whole = known_name(tag); !whole.empty()) return std::string(whole);
  const std::size_t dash = tag.find('-');
  const std::string_view language = known_name(tag.substr(0, dash));
  if (language.empty()) return std::string(tag);
  return std::string(language) + " (" + std::string(tag.substr(dash + 1)) + ")";
}

}  // namespace reelway::origin::text
