#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <nlohmann/json.hpp>

#include "origin/catalog/records.h"
#include "origin/quality/finding_list.h"
#include "origin/quality/quality_store.h"
#include "origin/request/origin_server.h"
#include "tests/support/loop_thread.h"
#include "tests/support/raw_http_client.h"
#include "tests/support/temporary_folder.h"

// Quality reports through the API of a whole origin, whose store was written beforehand.

namespace reelway::origin {
namespace {

using nlohmann::json;
using reelway::testing::LoopThread;
using reelway::testing::RawHttpClient;

const std::string kCredential(24, 'c');

class QualityRoutesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fill_store();
    thread_.call([this] {
      OriginConfig config;
      config.data_dir = folder_.at("data");
      config.api_listen = config.media_listen = {"127.0.0.1", 0};
      config.api_credential = kCredential;
      config.edges = EdgeCredentials::parse("edge-1 " + std::string(24, 'e'), "edges").value();
      config.seal_secret = std::string(32, 's');
      config.transcode.sandbox.required = false;
      auto started = OriginServer::start(thread_.loop(), std::move(config), clock_, random_);
      ASSERT_TRUE(started.ok()) << describe(started.error());
      server_ = std::move(started).value();
      api_ = server_->api_address();
    });
  }
  void TearDown() override {
    std::promise<void> drained;
    thread_.call([&] { server_->drain([&] { drained.set_value(); }); });
    drained.get_future().wait();
    thread_.call([this] { server_.reset(); });
  }

  void fill_store() {
    std::filesystem::create_directories(folder_.at("data"));
    auto store = open_rocksdb_store(folder_.at("data") + "/store").value();
    TitleRecord film;
    film.state = TitleState::published;
    film.current_version = "v1";
    film.latest_version = "v2";
    VersionRecord old, fresh;
    old.state = fresh.state = VersionState::failed;
    Txn txn;
    txn.then_operations = {Operation::put(title_key("film"), to_json(film)),
                           Operation::put(version_key("film", "v1"), to_json(old)),
                           Operation::put(version_key("film", "v2"), to_json(fresh))};
    ASSERT_TRUE(store->txn(txn).ok());
    const QualityRules rules;
    FindingList list(rules);
    list.add(Rule::black, 0, {4, 90}, {86, 2}, "black");
    QualityReport report;
    report.title = "film";
    report.version = "v2";
    report.crop = CropFrame{1920, 800, 0, 140};
    report.loudness.push_back({1, -23, 10, -2});
    std::move(list).finish(report);
    report.findings[0].picture = "black-1.jpg";
    std::filesystem::create_directories(pictures_folder(folder_.at("data"), "film", "v2"));
    std::ofstream(pictures_folder(folder_.at("data"), "film", "v2") + "/black-1.jpg") << "a black picture";
    ASSERT_TRUE(save_report(*store, clock_, report).ok());
  }

  json ask(const std::string& method, const std::string& path, const std::string& body = "") const {
    return json::parse(RawHttpClient(api_)
                           .ask(method + " " + path + " HTTP/1.1\r\nHost: o\r\nAuthorization: Bearer " + kCredential +
                                "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body)
                           .body);
  }
  std::string refusal(const std::string& method, const std::string& path, const std::string& body = "") const {
    return ask(method, path, body)["error"].value("code", "");
  }

  TemporaryFolder folder_;
  SystemClock clock_;
  SystemRandom random_;
  LoopThread thread_;
  std::unique_ptr<OriginServer> server_;
  std::string api_;
};

TEST_F(QualityRoutesTest, AFindingIsShownAndWaived) {
  const json shown = ask("GET", "/v1/titles/film/quality");
  EXPECT_EQ(shown["version"], "v2");
  EXPECT_EQ(shown["holds"], true);
  EXPECT_EQ(shown["crop"]["height"], 800);
  EXPECT_EQ(shown["findings"][0]["id"], "black-1");
  EXPECT_EQ(shown["findings"][0]["to"], "0:01:30.0");
  EXPECT_FALSE(shown["findings"][0]["remedy"].get<std::string>().empty());
  EXPECT_EQ(ask("GET", "/v1/titles/film/versions/v2/quality"), shown);

  const std::string waive = "/v1/titles/film/versions/v2/quality/black-1/waive";
  EXPECT_EQ(refusal("POST", waive, R"({"by":"ann"})"), "http_bad_request");
  const json waived = ask("POST", waive, R"({"by":"ann","reason":"meant"})");
  EXPECT_EQ(waived["holds"], false);
  EXPECT_EQ(waived["findings"][0]["waiver"]["by"], "ann");
  EXPECT_EQ(ask("GET", "/v1/titles/film/quality")["waived"], 1);
}

TEST_F(QualityRoutesTest, AFindingHasAPicture) {
  const auto answer = RawHttpClient(api_).ask(
      "GET /v1/titles/film/versions/v2/quality/black-1/picture HTTP/1.1\r\nHost: o\r\nAuthorization: Bearer " +
      kCredential + "\r\n\r\n");
  EXPECT_EQ(answer.header("content-type"), "image/jpeg");
  EXPECT_EQ(answer.body, "a black picture");
}

TEST_F(QualityRoutesTest, WhatIsNotThereIsNamed) {
  EXPECT_EQ(refusal("GET", "/v1/titles/film/versions/v2/quality/black-7/picture"), "quality_finding_not_found");
  EXPECT_EQ(refusal("GET", "/v1/titles/none/quality"), "title_not_found");
  EXPECT_EQ(refusal("GET", "/v1/titles/film/versions/v9/quality"), "version_not_found");
  EXPECT_EQ(refusal("GET", "/v1/titles/film/versions/v1/quality"), "quality_report_missing");
  EXPECT_EQ(refusal("POST", "/v1/titles/film/versions/v2/quality/black-7/waive", R"({"by":"a","reason":"b"})"),
            "quality_finding_not_found");
}

}  // namespace
}  // namespace reelway::origin
