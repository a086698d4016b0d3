#include "origin/request/origin_server.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <thread>

#include "common/access/token.h"
#include "common/base/crc32c.h"
#include "common/base/encoding.h"
#include "tests/support/loop_thread.h"
#include "tests/support/raw_http_client.h"

// The whole origin in this process, on ports of its own, with a film that it ingests itself.

namespace reelway::origin {
namespace {

using nlohmann::json;
using reelway::testing::LoopThread;
using reelway::testing::RawHttpClient;
using Answer = RawHttpClient::Answer;

const std::string kCredential(24, 'c');
const std::string kEdgeSecret(24, 'e');

// An origin over one data_dir, which may be stopped and started again.
class Origin {
 public:
  explicit Origin(std::string folder) : folder_(std::move(folder)) {}
  ~Origin() { stop(); }

  void start() {
    thread_ = std::make_unique<LoopThread>();
    thread_->call([this] {
      auto started = OriginServer::start(thread_->loop(), config(), clock_, random_);
      ASSERT_TRUE(started.ok()) << describe(started.error());
      server_ = std::move(started).value();
      api_ = server_->api_address();
      media_ = server_->media_address();
    });
  }
  void stop() {
    if (!thread_) return;
    std::promise<void> drained;
    thread_->call([&] { server_->drain([&] { drained.set_value(); }); });
    drained.get_future().wait();
    thread_->call([this] { server_.reset(); });
    thread_.reset();
  }

  OriginConfig config() const {
    OriginConfig made;
    made.data_dir = folder_ + "/data";
    made.api_listen = {"127.0.0.1", 0};
    made.media_listen = {"127.0.0.1", 0};
    made.api_credential = kCredential;
    made.edges = EdgeCredentials::parse("edge-1 " + kEdgeSecret, "edges").value();
    made.seal_secret = std::string(32, 's');
    made.public_edges = {"http://127.0.0.1:8090", "http://127.0.0.1:8091"};
    made.token_lifetime = std::chrono::hours(24);
    made.upload_bytes_max = 64 << 20;
    made.transcode.ffmpeg = "/usr/bin/ffmpeg";
    made.transcode.ffprobe = "/usr/bin/ffprobe";
    made.transcode.sandbox.required = false;
    made.transcode.sandbox.memory_bytes = 2ull << 30;
    made.units_per_segment = 1;
    return made;
  }

  static std::string api_head(const std::string& method, const std::string& path, const std::string& more = "") {
    return method + " " + path + " HTTP/1.1\r\nHost: o\r\nAuthorization: Bearer " + kCredential + "\r\n" + more +
           "\r\n";
  }
  static std::string media_head(const std::string& method, const std::string& path, const std::string& more = "") {
    return method + " " + path + " HTTP/1.1\r\nHost: o\r\nReelway-Edge: edge-1\r\nAuthorization: Bearer " +
           kEdgeSecret + "\r\n" + more + "\r\n";
  }

  Answer api(const std::string& method, const std::string& path, const std::string& body = "") const {
    return RawHttpClient(api_).ask(api_head(method, path, "Content-Length: " + std::to_string(body.size()) + "\r\n") +
                                   body);
  }
  json api_json(const std::string& method, const std::string& path, const std::string& body = "") const {
    return json::parse(api(method, path, body).body, nullptr, false);
  }
  Answer media(const std::string& path, const std::string& more = "") const {
    return RawHttpClient(media_).ask(media_head("GET", path, more));
  }

  std::uint64_t metric(const std::string& line_start) const {
    std::istringstream page(api("GET", "/metrics").body);
    for (std::string line; std::getline(page, line);) {
      if (line.starts_with(line_start + " ")) return std::stoull(line.substr(line_start.size() + 1));
    }
    ADD_FAILURE() << "no metric " << line_start;
    return 0;
  }

  // An upload that is announced but not sent.
  std::string begin_upload(const std::string& title, std::size_t bytes) const {
    const json begun =
        api_json("POST", "/v1/uploads", json{{"filename", "f.mp4"}, {"size_bytes", bytes}, {"title", title}}.dump());
    EXPECT_TRUE(begun.contains("put")) << begun.dump();
    return begun.value("put", "");
  }

  // Uploads and ingests a film; its state when the job has ended.
  std::string ingest(const std::string& title, const std::string& film) const {
    const std::string put = begin_upload(title, film.size());
    EXPECT_EQ(api("PUT", put, film).status, 200);
    const json job =
        api_json("POST", "/v1/titles", json{{"title", title}, {"upload", put.substr(put.rfind('/') + 1)}}.dump());
    EXPECT_TRUE(job.contains("job")) << job.dump();
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(100);
    std::string state;
    do {
      state = api_json("GET", "/v1/jobs/" + job.value("job", "")).value("state", "");
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    } while ((state == "queued" || state == "running") && std::chrono::steady_clock::now() < deadline);
    return state;
  }

  const std::string& api_address() const { return api_; }
  const std::string& media_address() const { return media_; }
  const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
  SystemClock clock_;
  SystemRandom random_;
  std::unique_ptr<LoopThread> thread_;
  std::unique_ptr<OriginServer> server_;
  std::string api_;
  std::string media_;
};

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// One origin for all tests of the suite, with one published film of 4 s, "film": made once, since a film takes a while.
class OriginServerTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    char name[] = "/tmp/reelway-origin-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    const std::string folder = name;
    const std::string film = folder + "/film.mp4";
    const std::string command =
        "ffmpeg -v error -f lavfi -i testsrc2=s=320x180:r=24:d=4 -f lavfi -i sine=440:d=4 -c:v libx264 "
        "-preset ultrafast -c:a aac -shortest -y " +
        film;
    ASSERT_EQ(std::system(command.c_str()), 0);
    film_ = read_file(film);
    origin_ = new Origin(folder);
    origin_->start();
    ASSERT_EQ(origin_->ingest("film", film_), "done");
  }
  static void TearDownTestSuite() {
    if (origin_ == nullptr) return;
    const std::string folder = origin_->folder();
    delete origin_;
    std::filesystem::remove_all(folder);
  }

  static std::string code_of(const Answer& answer) { return answer.header("reelway-error"); }
  // Path of a segment of the one video rendition.
  static std::string video(const std::string& rest) { return "/film/v1/video/180/" + rest; }

  static Origin* origin_;
  static std::string film_;
};

Origin* OriginServerTest::origin_ = nullptr;
std::string OriginServerTest::film_;

TEST_F(OriginServerTest, TheApiNeedsItsCredential) {
  for (const char* path : {"/v1/titles", "/metrics", "/v1/keys", "/nothing"}) {
    const std::string start = std::string("GET ") + path + " HTTP/1.1\r\nHost: o\r\n";
    EXPECT_EQ(code_of(RawHttpClient(origin_->api_address()).ask(start + "\r\n")), "credential_missing");
    for (const std::string& wrong : {kEdgeSecret, kCredential + "c", kCredential.substr(1), std::string("x")}) {
      const auto answer =
          RawHttpClient(origin_->api_address()).ask(start + "Authorization: Bearer " + wrong + "\r\n\r\n");
      EXPECT_EQ(answer.status, 401);
      EXPECT_EQ(code_of(answer), "credential_wrong");
    }
  }
}

TEST_F(OriginServerTest, TheMediaPortServesEdgesOnly) {
  const std::string edge = "Reelway-Edge: edge-1\r\n";
  const std::string secret = "Authorization: Bearer " + kEdgeSecret + "\r\n";
  for (const char* path : {"/film/v1/master.m3u8", "/.reelway/v1/keys", "/none"}) {
    const std::string start = std::string("GET ") + path + " HTTP/1.1\r\nHost: o\r\n";
    for (const std::string& fields : {std::string(), edge, secret, "Reelway-Edge: edge-2\r\n" + secret,
                                      edge + "Authorization: Bearer " + kCredential + "\r\n"}) {
      const auto answer = RawHttpClient(origin_->media_address()).ask(start + fields + "\r\n");
      EXPECT_EQ(answer.status, 403);
      EXPECT_EQ(code_of(answer), "not_an_edge");
      EXPECT_EQ(answer.header("cache-control"), "no-store");
    }
  }
}

TEST_F(OriginServerTest, ListsTheTitleAndItsRenditions) {
  const json titles = origin_->api_json("GET", "/v1/titles")["titles"];
  const auto found =
      std::find_if(titles.begin(), titles.end(), [](const json& title) { return title["title"] == "film"; });
  ASSERT_NE(found, titles.end());
  EXPECT_EQ((*found)["state"], "published");
  EXPECT_EQ((*found)["version"], "v1");
  const json film = origin_->api_json("GET", "/v1/titles/film");
  const json& version = film["versions"][0];
  EXPECT_EQ(version["state"], "published");
  EXPECT_EQ(version["renditions"].size(), 2u);
  EXPECT_EQ(version["renditions"][0]["frames"], 96);
  EXPECT_EQ(code_of(origin_->api("GET", "/v1/titles/none")), "title_not_found");
  EXPECT_EQ(code_of(origin_->api("GET", "/v1/jobs/none")), "job_not_found");
}

TEST_F(OriginServerTest, EveryObjectCarriesItsSumAndAStrongTag) {
  const std::string paths[] = {"/film/v1/master.m3u8", video("media.m3u8"), video("init.mp4"),
                               video("0.m4s"),         video("1.m4s"),      "/film/v1/audio/en-aac/0.m4s"};
  std::set<std::string> tags;
  for (const std::string& path : paths) {
    const auto answer = origin_->media(path);
    ASSERT_EQ(answer.status, 200) << path;
    EXPECT_EQ(crc32c_from_digest_field(answer.header("content-digest")), crc32c(as_bytes(answer.body))) << path;
    EXPECT_EQ(answer.header("cache-control"), "public, max-age=31536000, immutable");
    EXPECT_NE(answer.header("content-type"), "");
    EXPECT_TRUE(tags.insert(answer.header("etag")).second) << path;
    const auto again = origin_->media(path);
    EXPECT_EQ(again.body, answer.body) << path;
    EXPECT_EQ(again.header("etag"), answer.header("etag"));
    const auto same = origin_->media(path, "If-None-Match: " + answer.header("etag") + "\r\n");
    EXPECT_EQ(same.status, 304);
    const auto head = RawHttpClient(origin_->media_address()).ask(Origin::media_head("HEAD", path), true);
    EXPECT_EQ(head.header("content-length"), std::to_string(answer.body.size()));
    EXPECT_EQ(head.header("etag"), answer.header("etag"));
  }
}

TEST_F(OriginServerTest, AViewNarrowsTheMultivariantPlaylistAndNothingElse) {
  const std::string master = "/film/v1/master.m3u8";
  const auto view = [](const std::string& id) { return "Reelway-View: " + id + "\r\n"; };
  const auto whole = origin_->media(master);
  EXPECT_EQ(origin_->media(master, view("all")).body, whole.body);
  // It has one rendition of 180 lines, in English.
  EXPECT_EQ(origin_->media(master, view("h180.en")).body, whole.body);
  EXPECT_EQ(code_of(origin_->media(master, view("h179"))), "rendition_not_in_offer");
  EXPECT_EQ(code_of(origin_->media(master, view("fr"))), "language_not_in_offer");
  for (const char* wrong : {"h0", "h480.en.de", "h480.", "*", ""}) {
    EXPECT_EQ(code_of(origin_->media(master, view(wrong))), "http_bad_request") << wrong;
  }
  EXPECT_EQ(origin_->media(master).body, whole.body);
  EXPECT_EQ(origin_->media(video("media.m3u8"), view("h1")).status, 200);
}

TEST_F(OriginServerTest, PipelinedFetchesComeInOrder) {
  const std::string first = origin_->media(video("0.m4s")).body;
  const std::string playlist = origin_->media(video("media.m3u8")).body;
  RawHttpClient client(origin_->media_address());
  client.send(Origin::media_head("GET", video("0.m4s")) + Origin::media_head("GET", video("media.m3u8")) +
              Origin::media_head("GET", "/film/v1/nothing") + Origin::media_head("GET", video("0.m4s")));
  EXPECT_EQ(client.read().body, first);
  EXPECT_EQ(client.read().body, playlist);
  EXPECT_EQ(client.read().status, 404);
  EXPECT_EQ(client.read().body, first);
}

TEST_F(OriginServerTest, WhatIsNotThereIsNotFoundAndNotStored) {
  const std::pair<const char*, const char*> cases[] = {
      {"/none/v1/master.m3u8", "title_not_found"},    {"/film/v2/master.m3u8", "version_not_found"},
      {"/film/v1/video/999/0.m4s", "http_not_found"}, {"/film/v1/video/180/99.m4s", "http_not_found"},
      {"/film/v1/video/180/x", "http_not_found"},     {"/film/v1/", "http_not_found"},
      {"/film/v1/../../store", "http_not_found"},     {"/", "http_not_found"},
      {"/.reelway/v1/other", "http_not_found"},
  };
  for (const auto& [path, code] : cases) {
    const auto answer = origin_->media(path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_EQ(code_of(answer), code) << path;
    EXPECT_EQ(answer.header("cache-control"), "no-store") << path;
  }
  const auto post = RawHttpClient(origin_->media_address()).ask(Origin::media_head("POST", "/film/v1/master.m3u8"));
  EXPECT_EQ(post.status, 405);
  EXPECT_EQ(post.header("allow"), "GET, HEAD");
}

TEST_F(OriginServerTest, FetchesAreCounted) {
  const std::string name = "reelway_origin_media_requests_total{kind=\"segment\"}";
  const auto before = origin_->metric(name);
  origin_->media(video("0.m4s"));
  EXPECT_EQ(origin_->metric(name), before + 1);
  origin_->media(video("media.m3u8"));
  EXPECT_EQ(origin_->metric(name), before + 1);
}

TEST_F(OriginServerTest, PlayUrlsVerifyWithTheKeysThatEdgesGet) {
  const json made = origin_->api_json("POST", "/v1/play-urls", R"({"title":"film","ttl_s":60})");
  ASSERT_TRUE(made.contains("token")) << made.dump();
  const auto token = access::parse_token(made["token"].get<std::string>());
  ASSERT_TRUE(token.ok());
  EXPECT_EQ(token->token.title, "film");
  EXPECT_EQ(made["urls"].size(), 2u);
  EXPECT_EQ(made["url"], "http://127.0.0.1:8090/t/" + made["token"].get<std::string>() + "/film/v1/master.m3u8");
  bool verified = false;
  const json document = json::parse(origin_->media("/.reelway/v1/keys").body);
  for (const json& key : document["keys"]) {
    if (key["kid"] != made["kid"]) continue;
    const auto bytes = from_base64url(key["public"].get<std::string>()).value();
    access::PublicKey public_key;
    std::copy(bytes.begin(), bytes.end(), public_key.begin());
    verified = access::verify_signature(*token, public_key).ok();
  }
  EXPECT_TRUE(verified);
  const json other = origin_->api_json("POST", "/v1/play-urls", R"({"title":"film","edge":"http://edge.example/"})");
  EXPECT_TRUE(other["url"].get<std::string>().starts_with("http://edge.example/t/"));
  EXPECT_EQ(code_of(origin_->api("POST", "/v1/play-urls", R"({"title":"none"})")), "title_not_found");
  for (const char* bad :
       {"", "{", "[]", R"({"title":5})", R"({"title":"film","ttl_s":0})", R"({"title":"film","edge":"x"})"}) {
    EXPECT_EQ(code_of(origin_->api("POST", "/v1/play-urls", bad)), "http_bad_request") << bad;
  }
}

TEST_F(OriginServerTest, KeysRotateAndRetire) {
  const json rotated = origin_->api_json("POST", "/v1/keys/rotate");
  const auto kid = rotated.value("kid", 0);
  ASSERT_GT(kid, 1);
  const json retired = origin_->api_json("POST", "/v1/keys/" + std::to_string(kid) + "/retire");
  EXPECT_EQ(retired["state"], "retired");
  const json keys = origin_->api_json("GET", "/v1/keys")["keys"];
  EXPECT_EQ(keys.back()["kid"], kid + 1);
  EXPECT_EQ(keys.back()["signing"], true);
  EXPECT_EQ(keys[static_cast<std::size_t>(kid) - 1]["state"], "retired");
  for (const char* none : {"999", "x", "0"}) {
    EXPECT_EQ(code_of(origin_->api("POST", std::string("/v1/keys/") + none + "/retire")), "key_not_found");
  }
}

TEST_F(OriginServerTest, AShortUploadLeavesNothingAndMayBeSentAgain) {
  const std::string content(3'000'000, 'u');
  const std::string put = origin_->begin_upload("short", content.size());
  const std::string part = origin_->folder() + "/data/uploads/" + put.substr(put.rfind('/') + 1) + ".part";
  const std::string head = Origin::api_head("PUT", put, "Content-Length: " + std::to_string(content.size()) + "\r\n");
  for (const std::size_t sent : {std::size_t{0}, std::size_t{9}, content.size() - 1}) {
    RawHttpClient client(origin_->api_address());
    client.send(head + content.substr(0, sent));
    client.end_sending();
    const auto answer = client.read();
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(code_of(answer), "upload_incomplete");
    EXPECT_FALSE(std::filesystem::exists(part));
  }
  const json whole = origin_->api_json("PUT", put, content);
  EXPECT_EQ(whole["size_bytes"], content.size());
  EXPECT_EQ(whole["sha256"], "811e5618b44ca8ba28b2c8d4a06d207cb63697ad76f2c14c4ceb712185f311b5");
}

TEST_F(OriginServerTest, UploadsOfAnotherLengthAreRefusedBeforeTheyAreRead) {
  const std::string put = origin_->begin_upload("other-length", 1000);
  const auto refusal = [&](const std::string& length) {
    return code_of(RawHttpClient(origin_->api_address()).ask(Origin::api_head("PUT", put, length)));
  };
  EXPECT_EQ(refusal("Content-Length: 1001\r\n"), "upload_too_large");
  EXPECT_EQ(refusal("Content-Length: 999\r\n"), "upload_incomplete");
  EXPECT_EQ(refusal("Content-Length: 99999999999\r\n"), "upload_too_large");
  EXPECT_EQ(refusal("Transfer-Encoding: chunked\r\n"), "http_length_required");
  EXPECT_EQ(code_of(origin_->api("PUT", "/v1/uploads/none", "x")), "upload_not_found");
  EXPECT_EQ(origin_->api("PUT", put, std::string(1000, 'x')).status, 200);
}

TEST_F(OriginServerTest, AnUploadIsWrittenByOneAtATime) {
  const std::string put = origin_->begin_upload("twice", 1000);
  const std::string head = Origin::api_head("PUT", put, "Content-Length: 1000\r\nExpect: 100-continue\r\n");
  RawHttpClient first(origin_->api_address());
  EXPECT_EQ(first.ask(head).status, 100);
  // A worker makes the claim after the head, and then the file: whoever comes after that is refused.
  const std::string part = origin_->folder() + "/data/uploads/" + put.substr(put.rfind('/') + 1) + ".part";
  while (!std::filesystem::exists(part)) std::this_thread::yield();
  RawHttpClient second(origin_->api_address());
  EXPECT_EQ(code_of(second.ask(Origin::api_head("PUT", put, "Content-Length: 1000\r\n"))), "upload_in_progress");
  EXPECT_EQ(first.ask(std::string(1000, 'x')).status, 200);
}

TEST_F(OriginServerTest, BadTitlesAreRefused) {
  const auto begin = [&](const json& body) { return code_of(origin_->api("POST", "/v1/uploads", body.dump())); };
  EXPECT_EQ(begin({{"filename", "f"}, {"size_bytes", 10}, {"title", "Not A Title"}}), "title_id_invalid");
  EXPECT_EQ(begin({{"filename", "f"}, {"size_bytes", 10}, {"title", "film"}}), "title_exists");
  EXPECT_EQ(begin({{"filename", "f"}, {"size_bytes", 100ull << 30}, {"title", "huge"}}), "upload_too_large");
  EXPECT_EQ(begin({{"filename", "f"}, {"size_bytes", -1}, {"title", "x"}}), "http_bad_request");
  EXPECT_EQ(code_of(origin_->api("POST", "/v1/titles", R"({"title":"x","upload":"none"})")), "upload_not_found");
  const std::string big = R"({"title":")" + std::string(2 << 20, 'a') + "\"}";
  EXPECT_EQ(origin_->api("POST", "/v1/titles", big).status, 413);
}

TEST_F(OriginServerTest, AFileThatIsNoFilmFailsWithItsReason) {
  EXPECT_EQ(origin_->ingest("no-film", "this is a text and no film at all"), "failed");
  const json title = origin_->api_json("GET", "/v1/titles/no-film");
  EXPECT_EQ(title["state"], "failed");
  EXPECT_EQ(title["error"]["code"], "media_unreadable");
  EXPECT_EQ(code_of(origin_->api("POST", "/v1/play-urls", R"({"title":"no-film"})")), "title_not_published");
}

TEST_F(OriginServerTest, ARestartKeepsEverything) {
  const std::string segment = origin_->media(video("1.m4s")).body;
  const std::string keys = origin_->media("/.reelway/v1/keys").body;
  origin_->stop();
  origin_->start();
  EXPECT_EQ(origin_->media(video("1.m4s")).body, segment);
  EXPECT_EQ(origin_->media("/.reelway/v1/keys").body, keys);
}

TEST_F(OriginServerTest, DamagedBytesAreNeverServed) {
  const std::string first = origin_->media(video("0.m4s")).body;
  const std::string second = origin_->media(video("1.m4s")).body;
  const std::string path = origin_->folder() + "/data/titles/film/v1/video-180.mp4";
  std::filesystem::copy_file(path, path + ".good");
  // Three quarters into the file lies the second of its two units; the end is its index of samples.
  const auto at = static_cast<std::streamoff>(std::filesystem::file_size(path) / 4 * 3);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(at);
  const char changed = static_cast<char>(file.get() ^ 1);
  file.seekp(at);
  file.put(changed);
  file.close();
  // A restart forgets which units have been checked, as pages that leave memory do.
  origin_->stop();
  origin_->start();
  EXPECT_EQ(origin_->media(video("0.m4s")).body, first);
  const auto answer = origin_->media(video("1.m4s"));
  EXPECT_EQ(answer.status, 500);
  EXPECT_EQ(code_of(answer), "stored_data_corrupt");
  EXPECT_NE(answer.body.find("video-180.mp4: unit 1"), std::string::npos) << answer.body;
  EXPECT_EQ(origin_->metric("reelway_origin_crc_failures_total"), 1u);
  // The remedy that the error names: the file is restored by putting a good one in its place.
  std::filesystem::rename(path + ".good", path);
  EXPECT_TRUE(origin_->media(video("1.m4s")).body == second);
}

TEST(OriginServerStart, SaysWhyItCannot) {
  char name[] = "/tmp/reelway-start-XXXXXX";
  ASSERT_NE(mkdtemp(name), nullptr);
  const std::string folder = name;
  {
    Origin origin(folder);
    origin.start();
    SystemClock clock;
    SystemRandom random;
    EventLoop loop;
    const auto second = OriginServer::start(loop, origin.config(), clock, random);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().code, ErrorCode::store_unavailable);

    OriginConfig same_port = origin.config();
    same_port.data_dir = folder + "/other";
    const std::string& address = origin.api_address();
    same_port.api_listen.port = static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
    const auto third = OriginServer::start(loop, std::move(same_port), clock, random);
    ASSERT_FALSE(third.ok());
    EXPECT_EQ(third.error().code, ErrorCode::port_in_use);
    EXPECT_NE(third.error().detail.find(address), std::string::npos);

    OriginConfig no_folder = origin.config();
    no_folder.data_dir = "/proc/reelway";
    const auto fourth = OriginServer::start(loop, std::move(no_folder), clock, random);
    ASSERT_FALSE(fourth.ok());
    EXPECT_EQ(fourth.error().code, ErrorCode::config_value_invalid);
    EXPECT_TRUE(fourth.error().detail.starts_with("data_dir: ")) << fourth.error().detail;
  }
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace reelway::origin
