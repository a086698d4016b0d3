#include "origin/protection/protection_options.h"

#include <array>

#include "origin/client/web_url.h"
#include "origin/protection/local_keys.h"

namespace reelway::origin {
namespace {

using config::Kind;

constexpr std::int64_t kSecondMs = 1000;
constexpr std::size_t kSystemsMax = 16;

constexpr std::array kOptions = {
    config::Option{
        "protection.default", Kind::text, "clear", false, 0, 0,
        "clear or protected: what versions ingested from now on are handed out as. Protected ones are encrypted for "
        "every response, and their keys go only to sessions whose rental holds. `reelway protect` changes it for one "
        "version."},
    config::Option{
        "protection.packaging", Kind::text, "cbcs", false, 0, 0,
        "aes, cbcs, cenc, ts-aes or ts-sample-aes: which one play URLs of protected versions name. The others are "
        "there too, each at its own path."},
    config::Option{
        "protection.keys", Kind::text, "local", false, 0, 0,
        "local or cpix: where content keys come from. local: random ones, sealed in the control store with the secret "
        "of keys.seal_file. cpix: a key server that speaks CPIX 2.3 (SPEKE 2.0), for DRM systems."},
    config::Option{"protection.cpix_url", Kind::text, "", false, 0, 0,
                   "Where the key server takes CPIX documents, such as https://keys.example.net/cpix. Used only with "
                   "protection.keys: cpix. Use https:// unless it is on this machine: the keys come over it."},
    config::Option{"protection.cpix_credential_file", Kind::path, "", false, 0, 0,
                   "File whose first line, 16 characters or more, goes to the key server as a bearer token. Readable "
                   "by its owner only. Empty for none."},
    config::Option{"protection.cpix_ca_file", Kind::path, "", false, 0, 0,
                   "Certificates of the authorities that may have signed the key server's. Empty: the system's."},
    config::Option{
        "protection.cpix_systems", Kind::text_list, "[]", false, 0, 0,
        "UUIDs of the DRM systems whose pssh boxes and playlist tags are asked for, such as "
        "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed (Widevine) and 94ce86fb-07ff-4f43-adb8-93d2fa968ca2 (FairPlay)."},
    config::Option{"protection.cpix_time_limit", Kind::duration, "10s", false, kSecondMs, 60 * kSecondMs,
                   "How long the key server may take for the keys of one version, repetitions included. Requests that "
                   "need them wait as long, and then get key_provider_unavailable."},
    config::Option{"protection.key_lifetime", Kind::duration, "1h", false, kSecondMs, 24 * 3600 * kSecondMs,
                   "How long keys stay in the origin's memory before the provider is asked again."},
};

Error invalid(std::string detail) {
  Error error;
  error.code = ErrorCode::config_value_invalid;
  error.detail = std::move(detail);
  return error;
}

Result<CpixServer> cpix_server(const config::Settings& settings) {
  CpixServer server;
  server.url = settings.text("protection.cpix_url");
  const auto url = parse_web_url(server.url);
  if (!url) return invalid("protection.cpix_url: expected a URL of http or https");
  server.url = url->request;
  if (!url->authorization.empty()) {
    return invalid(
        "protection.cpix_url: expected no user in it; put the credential into protection.cpix_credential_file");
  }
  if (const std::string& file = settings.text("protection.cpix_credential_file"); !file.empty()) {
    auto secret = config::read_secret(file);
    if (!secret) return secret.error();
    server.credential = std::move(secret).value();
  }
  server.ca_file = settings.text("protection.cpix_ca_file");
  server.time_limit = settings.duration("protection.cpix_time_limit");
  for (const std::string& text : settings.list("protection.cpix_systems")) {
    const auto id = parse_uuid(text);
    if (!id) return invalid("protection.cpix_systems: expected UUIDs, found: " + text);
    server.systems.push_back(uuid_text(*id));
  }
  if (server.systems.size() > kSystemsMax) return invalid("protection.cpix_systems: expected at most 16");
  return server;
}

}  // namespace

std::span<const config::Option> protection_options() {
  return kOptions;
}

Result<ProtectionOptions> protection_options(const config::Settings& settings) {
  ProtectionOptions out;
  const std::string& standard = settings.text("protection.default");
  if (standard != "clear" && standard != "protected") {
    return invalid("protection.default: expected clear or protected, found: " + standard);
  }
  out.protect_new = standard == "protected";
  const std::string& folder = settings.text("protection.packaging");
  const auto packaging = hls::packaging_of_folder(folder);
  if (!packaging || hls::traits(*packaging).protection == hls::Protection::none) {
    return invalid("protection.packaging: expected aes, cbcs, cenc, ts-aes or ts-sample-aes, found: " + folder);
  }
  out.packaging = *packaging;
  out.key_lifetime = settings.duration("protection.key_lifetime");
  const std::string& keys = settings.text("protection.keys");
  if (keys == "local") return out;
  if (keys != "cpix") return invalid("protection.keys: expected local or cpix, found: " + keys);
  auto server = cpix_server(settings);
  if (!server) return server.error();
  out.cpix = std::move(server).value();
  return out;
}

Result<std::unique_ptr<KeyProvider>> make_key_provider(const ProtectionOptions& options, ControlStore& store,
                                                       std::string_view seal_secret, const Clock& clock,
                                                       Random& random) {
  if (options.cpix) return std::unique_ptr<KeyProvider>(std::make_unique<CpixKeys>(*options.cpix, random));
  auto local = LocalKeys::open(store, seal_secret, clock, random);
  if (!local) return local.error();
  return std::unique_ptr<KeyProvider>(std::make_unique<LocalKeys>(std::move(local).value()));
}

}  // namespace reelway::origin
