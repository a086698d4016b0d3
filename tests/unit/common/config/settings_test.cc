#include "common/config/settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <array>
#include <filesystem>
#include <fstream>

#include "common/config/reference.h"

namespace reelway::config {
namespace {

using std::chrono::milliseconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto kTable = std::to_array<Option>({
    {"edge_id", Kind::text, "", true, 0, 0, "The name of this edge."},
    {"public.listen", Kind::endpoint, "127.0.0.1:8090", false, 0, 0, "Where players connect."},
    {"store.directory", Kind::path, "", true, 0, 0, "Where objects lie."},
    {"store.memory_bytes", Kind::bytes, "256MiB", false, 1 << 20, 1 << 30, "The memory tier."},
    {"store.checked", Kind::flag, "true", false, 0, 0, "Whether checksums are compared | always."},
    {"limits.connections", Kind::integer, "100", false, 1, 1000, "Connections at once."},
    {"limits.idle", Kind::duration, "60s", false, 100, 3'600'000, "Rest of a connection."},
    {"upstream", Kind::url, "http://127.0.0.1:8081", false, 0, 0, "The origin."},
    {"origins", Kind::text_list, "[]", false, 0, 0, "Pages that may read."},
    {"access_log", Kind::path, "", false, 0, 0, "A file; empty: none."},
});

constexpr std::string_view kLeast = "edge_id: e1\nstore:\n  directory: /var/lib/x\n";

Error error_of(std::string_view yaml) {
  auto settings = parse(kTable, yaml, "edge.yaml");
  EXPECT_FALSE(settings.ok()) << yaml;
  return settings.ok() ? Error{} : settings.error();
}

std::string least_and(std::string_view more) {
  return std::string(kLeast) + std::string(more);
}

TEST(Settings, DefaultsFillWhatIsLeftOut) {
  const auto settings = parse(kTable, kLeast, "edge.yaml");
  ASSERT_TRUE(settings.ok()) << settings.error().detail;
  EXPECT_EQ(settings->text("edge_id"), "e1");
  EXPECT_EQ(settings->text("store.directory"), "/var/lib/x");
  EXPECT_EQ(settings->endpoint("public.listen").host, "127.0.0.1");
  EXPECT_EQ(settings->endpoint("public.listen").port, 8090);
  EXPECT_EQ(settings->bytes("store.memory_bytes"), 256u << 20);
  EXPECT_TRUE(settings->flag("store.checked"));
  EXPECT_EQ(settings->integer("limits.connections"), 100);
  EXPECT_EQ(settings->duration("limits.idle"), milliseconds(60'000));
  EXPECT_EQ(settings->text("upstream"), "http://127.0.0.1:8081");
  EXPECT_THAT(settings->list("origins"), IsEmpty());
  EXPECT_EQ(settings->text("access_log"), "");
}

TEST(Settings, ReadsEveryKind) {
  const auto settings = parse(kTable, R"(
edge_id: "é 1"   # a comment
public: { listen: "[::1]:0" }
store:
  directory: x
  memory_bytes: 1048577
  checked: false
limits: {connections: 7, idle: 250ms}
upstream: http://origin.example:9000/
origins:
  - https://a.example
  - "*"
access_log: /var/log/a
)",
                              "edge.yaml");
  ASSERT_TRUE(settings.ok()) << settings.error().detail;
  EXPECT_EQ(settings->text("edge_id"), "é 1");
  EXPECT_EQ(settings->endpoint("public.listen").host, "::1");
  EXPECT_EQ(settings->endpoint("public.listen").port, 0);
  EXPECT_EQ(settings->bytes("store.memory_bytes"), 1048577u);
  EXPECT_FALSE(settings->flag("store.checked"));
  EXPECT_EQ(settings->integer("limits.connections"), 7);
  EXPECT_EQ(settings->duration("limits.idle"), milliseconds(250));
  EXPECT_EQ(settings->text("upstream"), "http://origin.example:9000") << "the slash at the end is cut";
  EXPECT_THAT(settings->list("origins"), ElementsAre("https://a.example", "*"));
}

TEST(Settings, MissingKeyIsNamedWithALineThatSetsIt) {
  const Error error = error_of("edge_id: e1\n");
  EXPECT_EQ(error.code, ErrorCode::config_key_missing);
  EXPECT_EQ(error.detail,
            "edge.yaml: store.directory is missing; a line like this sets it: store: {directory: /var/lib/reelway}");
  EXPECT_EQ(error_of("").code, ErrorCode::config_key_missing);
}

TEST(Settings, UnknownKeyIsNamedWithTheNearest) {
  Error error = error_of(least_and("  memory_byte: 1MiB\n"));
  EXPECT_EQ(error.code, ErrorCode::config_key_unknown);
  EXPECT_EQ(error.detail,
            "edge.yaml:4: there is no option \"store.memory_byte\"; the nearest is \"store.memory_bytes\"");
  error = error_of(least_and("memory_bytes: 1MiB\n"));
  EXPECT_THAT(error.detail, AllOf(HasSubstr("edge.yaml:4"), HasSubstr("\"store.memory_bytes\"")));
  error = error_of(least_and("pubic: {listen: x}\n"));
  EXPECT_THAT(error.detail, HasSubstr("\"public\""));
  error = error_of(least_and("acces_log: x\n"));
  EXPECT_THAT(error.detail, HasSubstr("\"access_log\""));
}

TEST(Settings, SyntaxErrorNamesTheLine) {
  for (const char* yaml :
       {"edge_id: [1, 2\n", "edge_id: e1\n\tstore: x\n", "a: b: c\n", "- a\n- b\n", "text\n",
        "edge_id: e1\nstore: /x\n", "edge_id: e1\nedge_id: e2\n", "? [a]\n: b\n", "edge_id: *unknown\n"}) {
    const Error error = error_of(yaml);
    EXPECT_EQ(error.code, ErrorCode::config_syntax) << yaml;
    EXPECT_THAT(error.detail, testing::StartsWith("edge.yaml:")) << yaml;
  }
  EXPECT_EQ(error_of("edge_id: e1\n\nedge_id: e2\n").detail, "edge.yaml:3: edge_id stands on line 1 already");
}

struct BadValue {
  const char* line;
  const char* expected;
};

TEST(Settings, InvalidValueNamesWhatWasExpected) {
  const std::vector<BadValue> cases = {
      {"store.memory_bytes: 12 elephants", "a size such as"},
      {"store.memory_bytes: 1.5GiB", "a size such as"},
      {"store.memory_bytes: 10GB", "a size such as"},
      {"store.memory_bytes: -1", "a size such as"},
      {"store.memory_bytes: 99999999999999999999", "a size such as"},
      {"store.memory_bytes: 9223372036854775807TiB", "a size such as"},
      {"store.memory_bytes: 1KiB", "from 1MiB to 1GiB"},
      {"store.memory_bytes: 2GiB", "from 1MiB to 1GiB"},
      {"store.memory_bytes:", "found nothing"},
      {"store.memory_bytes: [1]", "found a list"},
      {"store.checked: yes", "true or false"},
      {"limits.connections: 0", "from 1 to 1000"},
      {"limits.connections: 1e3", "a whole number"},
      {"limits.idle: 5", "a time such as"},
      {"limits.idle: 5 s", "a time such as"},
      {"limits.idle: 1ms", "from 100ms to 1h"},
      {"public.listen: 8090", "an address and port"},
      {"public.listen: :8090", "an address and port"},
      {"public.listen: localhost:8090", "an address and port"},
      {"public.listen: 127.0.0.1:65536", "an address and port"},
      {"public.listen: 127.0.0.1:-1", "an address and port"},
      {"public.listen: 127.0.0.256:80", "an address and port"},
      {"public.listen: ::1:80", "an address and port"},
      {"public.listen: '[::1:80'", "an address and port"},
      {"upstream: ftp://127.0.0.1:8081", "a URL such as"},
      {"upstream: 127.0.0.1:8081", "a URL such as"},
      {"upstream: http://127.0.0.1:8081/path", "a URL such as"},
      {"upstream: http://", "a URL such as"},
      {"upstream: http://[::1]x", "a URL such as"},
      {"origins: https://a.example", "a list such as"},
      {"origins: [[a]]", "a list such as"},
      {"edge_id.x: 1", "no option"},
  };
  for (const auto& [line, expected] : cases) {
    const Error error = error_of(least_and(std::string(line) + "\n"));
    EXPECT_THAT(error.detail, AllOf(HasSubstr("edge.yaml:4"), HasSubstr(expected))) << line;
  }
}

TEST(Settings, RequiredValueMayNotBeEmpty) {
  EXPECT_EQ(error_of("edge_id: ''\n").code, ErrorCode::config_value_invalid);
  EXPECT_EQ(error_of("edge_id:\n").code, ErrorCode::config_value_invalid);
}

TEST(SettingsDeathTest, WrongKindOrKeyIsAFault) {
  const auto settings = parse(kTable, kLeast, "edge.yaml");
  ASSERT_TRUE(settings.ok());
  EXPECT_DEATH(settings->integer("edge_id"), "CHECK failed");
  EXPECT_DEATH(settings->text("nothing"), "CHECK failed");
}

TEST(ParseEndpoint, TakesAddressesAndNames) {
  EXPECT_EQ(parse_endpoint("0.0.0.0:0")->port, 0);
  EXPECT_EQ(parse_endpoint("[2001:db8::1]:443")->host, "2001:db8::1");
  EXPECT_EQ(parse_endpoint("origin.example:80")->host, "origin.example");
  for (const char* text : {"", ":", "a:", "1.2.3:80", "[::1]", "[]:1", "a b:80", "a:80x", "a: 80", "a:+80", "::1:80"}) {
    EXPECT_FALSE(parse_endpoint(text).ok()) << text;
  }
}

TEST(CommentedExample, LoadsAndHoldsTheDefaults) {
  const std::string example = commented_example(kTable, "An edge.");
  const auto settings = parse(kTable, example, "example");
  ASSERT_TRUE(settings.ok()) << settings.error().detail << "\n" << example;
  EXPECT_EQ(settings->bytes("store.memory_bytes"), 256u << 20);
  EXPECT_THAT(example, HasSubstr("  # The memory tier.\n  # Form: a size such as"));
  EXPECT_THAT(example, HasSubstr("from 1MiB to 1GiB.\n  memory_bytes: 256MiB\n"));
  EXPECT_THAT(example, HasSubstr("access_log: \"\"\n"));
}

TEST(ReferencePage, HasARowForEveryOption) {
  const std::string page = reference_page(kTable, "reelway-edge");
  for (const Option& option : kTable) EXPECT_THAT(page, HasSubstr("| `" + std::string(option.key) + "` |"));
  EXPECT_THAT(page, HasSubstr("| `store.memory_bytes` | size | `256MiB` | from 1MiB to 1GiB | The memory tier. |\n"));
  EXPECT_THAT(page, HasSubstr("compared \\| always"));
}

class ConfigFiles : public testing::Test {
 protected:
  ConfigFiles() {
    std::string name = testing::TempDir() + "reelway_config_XXXXXX";
    folder_ = mkdtemp(name.data());
  }
  ~ConfigFiles() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, std::string_view text, mode_t mode = 0600) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    chmod(path.c_str(), mode);
    return path;
  }

  std::string folder_;
};

TEST_F(ConfigFiles, LoadNamesTheFile) {
  EXPECT_TRUE(load(kTable, write("good.yaml", kLeast)).ok());
  const auto missing = load(kTable, folder_ + "/none.yaml");
  EXPECT_EQ(missing.error().code, ErrorCode::config_unreadable);
  EXPECT_THAT(missing.error().detail, AllOf(HasSubstr("none.yaml"), HasSubstr("No such file")));
  EXPECT_EQ(load(kTable, folder_).error().code, ErrorCode::config_unreadable);
  const std::string large(2 << 20, '#');
  EXPECT_EQ(load(kTable, write("large.yaml", large)).error().code, ErrorCode::config_unreadable);
  const std::string bad = write("bad.yaml", least_and("nothing: 1\n"));
  EXPECT_THAT(load(kTable, bad).error().detail, HasSubstr(bad + ":4: "));
}

TEST_F(ConfigFiles, SecretIsTheFirstLine) {
  EXPECT_EQ(*read_secret(write("a", "0123456789abcdef\nrest")), "0123456789abcdef");
  EXPECT_EQ(*read_secret(write("b", "0123456789abcdef\r\n")), "0123456789abcdef");
  EXPECT_EQ(*read_secret(write("c", "0123456789abcdef", 0400)), "0123456789abcdef");
}

TEST_F(ConfigFiles, SecretThatOthersMayReadIsRefused) {
  for (const mode_t mode : {0640, 0604, 0620, 0666}) {
    const auto secret = read_secret(write("a", "0123456789abcdef\n", mode));
    EXPECT_EQ(secret.error().code, ErrorCode::config_value_invalid) << mode;
    EXPECT_THAT(secret.error().detail, AllOf(HasSubstr("chmod 600"), testing::Not(HasSubstr("0123456789"))));
  }
}

TEST_F(ConfigFiles, SecretOfOtherFormIsRefused) {
  EXPECT_EQ(read_secret(write("a", "0123456789abcde\n")).error().code, ErrorCode::config_value_invalid);
  EXPECT_EQ(read_secret(write("b", "\n0123456789abcdef\n")).error().code, ErrorCode::config_value_invalid);
  EXPECT_EQ(read_secret(write("c", std::string(5000, 'x'))).error().code, ErrorCode::config_value_invalid);
  EXPECT_EQ(read_secret(write("d", "0123456789 abcdef\n")).error().code, ErrorCode::config_value_invalid);
  EXPECT_EQ(read_secret(folder_).error().code, ErrorCode::config_value_invalid);
  EXPECT_EQ(read_secret(folder_ + "/none").error().code, ErrorCode::config_unreadable);
}

constexpr auto kNamed = std::to_array<Option>({
    {"level", Kind::text, "info", false, 0, 0, "The log."},
    {"stores.{}.url", Kind::url, "", true, 0, 0, "Where it is."},
    {"stores.{}.parts", Kind::integer, "4", false, 1, 9, "Parts at once."},
    {"stores.{}.tags", Kind::text_list, "[]", false, 0, 0, "Tags."},
});

TEST(NamedSections, EachHasItsOwnValuesAndDefaults) {
  const auto settings = parse(kNamed, "stores:\n  b-2: {url: http://b:1}\n  a: {url: http://a:1, parts: 7}\n", "f");
  ASSERT_TRUE(settings.ok()) << settings.error().detail;
  EXPECT_THAT(settings->names("stores"), ElementsAre("a", "b-2"));
  EXPECT_EQ(settings->text("stores.a.url"), "http://a:1");
  EXPECT_EQ(settings->integer("stores.a.parts"), 7);
  EXPECT_EQ(settings->integer("stores.b-2.parts"), 4);
  EXPECT_THAT(settings->list("stores.b-2.tags"), IsEmpty());
}

TEST(NamedSections, NoneIsNoFault) {
  for (const char* yaml : {"", "stores:\n", "stores: {}\n"}) {
    const auto settings = parse(kNamed, yaml, "f");
    ASSERT_TRUE(settings.ok()) << settings.error().detail;
    EXPECT_THAT(settings->names("stores"), IsEmpty());
  }
}

TEST(NamedSections, FaultsNameTheSection) {
  const auto fault = [](std::string_view yaml) {
    const auto settings = parse(kNamed, yaml, "f");
    return settings.ok() ? std::string("accepted")
                         : std::string(settings.error().info().name) + " " + settings.error().detail;
  };
  EXPECT_THAT(fault("stores: {a: {parts: 1}}"), AllOf(HasSubstr("config_key_missing"), HasSubstr("stores.a.url")));
  EXPECT_THAT(fault("stores: {a: }"), AllOf(HasSubstr("config_key_missing"), HasSubstr("stores: {a: {url: ")));
  EXPECT_THAT(fault("stores: {a: {url: http://a:1, parts: 10}}"),
              AllOf(HasSubstr("config_value_invalid"), HasSubstr("stores.a.parts")));
  EXPECT_THAT(fault("stores: {a: {urls: http://a:1}}"), HasSubstr("config_key_unknown"));
  EXPECT_THAT(fault("stores: {A_: {url: http://a:1}}"), AllOf(HasSubstr("config_key_unknown"), HasSubstr("a-z, 0-9")));
  EXPECT_THAT(fault("stores: {a: {url: http://a:1, url: http://b:1}}"), HasSubstr("config_syntax"));
}

TEST(NamedSections, TheExampleLoadsAndShowsTheSection) {
  const std::string example = commented_example(kNamed, "X");
  ASSERT_TRUE(parse(kNamed, example, "f").ok()) << example;
  EXPECT_THAT(example, HasSubstr("  # example:\n  #   # Where it is.\n"));
  EXPECT_THAT(example, HasSubstr("\n  #   url: "));
  EXPECT_THAT(reference_page(kNamed, "x"), HasSubstr("| `stores.NAME.url` |"));
}

}  // namespace
}  // namespace reelway::config
