#include "origin/request/replica_routes.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <future>
#include <nlohmann/json.hpp>
#include <thread>

#include "origin/request/origin_server.h"
#include "origin/rights/records.h"
#include "tests/support/loop_thread.h"
#include "tests/support/plain_client.h"
#include "tests/support/temporary_folder.h"
#include "tests/unit/origin/fleet/replica_model.h"

// The routes that replicas use, through a whole origin. What its control store holds is written before it starts.

namespace reelway::origin {
namespace {

using nlohmann::json;
using reelway::testing::LoopThread;
using reelway::testing::PlainClient;
using reelway::testing::PlainResponse;

const std::string kCredential(24, 'c');
const std::string kEdgeSecret(24, 'e');

EntitlementRecord entitlement(std::uint8_t number) {
  EntitlementRecord made;
  made.id.fill(number);
  made.account = "account";
  made.title = "film";
  made.offer = "standard";
  made.record.start_by_s = 1'900'000'000 + number;
  made.ordered_at_s = 1;
  return made;
}

class ReplicaRoutesTest : public ::testing::Test {
 protected:
  static constexpr std::uint8_t kRecords = 10;

  void SetUp() override {
    write_store();
    thread_.call([this] {
      auto started = OriginServer::start(thread_.loop(), config(), clock_, random_);
      ASSERT_TRUE(started.ok()) << describe(started.error());
      server_ = std::move(started).value();
      media_ = port_of(server_->media_address());
      api_ = port_of(server_->api_address());
    });
    // Ready with the first beat, which takes a moment.
    while (get("/.reelway/v1/replica/buckets?shard=0").status == 503) std::this_thread::yield();
  }
  void TearDown() override {
    if (!server_) return;
    std::promise<void> drained;
    thread_.call([&] { server_->drain([&] { drained.set_value(); }); });
    drained.get_future().wait();
    thread_.call([this] { server_.reset(); });
  }

  void write_store() {
    std::filesystem::create_directories(folder_.at("data"));
    const auto store = open_rocksdb_store(folder_.at("data/store")).value();
    for (std::uint8_t i = 0; i < kRecords; ++i) {
      Txn txn;
      const EntitlementRecord record = entitlement(i);
      txn.then_operations = {Operation::put(entitlement_key(record.id), to_json(record))};
      ASSERT_TRUE(store->txn(txn).ok());
    }
    cluster_ = store->status()->cluster_id;
  }
  OriginConfig config() const {
    OriginConfig made;
    made.data_dir = folder_.at("data");
    made.api_listen = {"127.0.0.1", 0};
    made.media_listen = {"127.0.0.1", 0};
    made.api_credential = kCredential;
    made.edges = EdgeCredentials::parse("edge-1 " + kEdgeSecret, "edges").value();
    made.seal_secret = std::string(32, 's');
    made.token_lifetime = std::chrono::hours(24);
    made.upload_bytes_max = 64 << 20;
    made.transcode.ffmpeg = "/usr/bin/ffmpeg";
    made.transcode.ffprobe = "/usr/bin/ffprobe";
    made.transcode.sandbox.required = false;
    made.transcode.sandbox.memory_bytes = 2ull << 30;
    made.units_per_segment = 1;
    return made;
  }
  static std::uint16_t port_of(const std::string& address) {
    return static_cast<std::uint16_t>(std::stoi(address.substr(address.rfind(':') + 1)));
  }

  static std::string edge_fields() { return "Reelway-Edge: edge-1\r\nAuthorization: Bearer " + kEdgeSecret + "\r\n"; }
  PlainResponse get(const std::string& path, const std::string& more = "", const std::string& method = "GET") const {
    return PlainClient(media_).get(path, edge_fields() + more, method);
  }
  PlainResponse api(const std::string& path) const {
    return PlainClient(api_).get(path, "Authorization: Bearer " + kCredential + "\r\n");
  }
  static std::string code_of(const PlainResponse& response) { return response.header("Reelway-Error"); }

  TemporaryFolder folder_;
  SystemClock clock_;
  SystemRandom random_;
  LoopThread thread_;
  std::unique_ptr<OriginServer> server_;
  std::string cluster_;
  std::uint16_t media_ = 0;
  std::uint16_t api_ = 0;
};

TEST_F(ReplicaRoutesTest, ASnapshotAndTheStreamAfterItMeetTheRoot) {
  const PlainResponse snapshot = get("/.reelway/v1/replica/snapshot?format=2&shard=0");
  EXPECT_EQ(snapshot.status, 200);
  EXPECT_EQ(snapshot.header("Content-Type"), "application/vnd.reelway.replica");
  EXPECT_EQ(snapshot.header("Cache-Control"), "no-store");
  EXPECT_TRUE(snapshot.whole);
  ReplicaModel replica;
  replica.apply(snapshot.body);
  EXPECT_TRUE(replica.ended);
  EXPECT_EQ(replica.cluster, cluster_);
  EXPECT_EQ(replica.records.size(), kRecords);
  EXPECT_EQ(replica.records[entitlement(3).id].record, entitlement(3).record);

  PlainClient client(media_);
  client.send("GET /.reelway/v1/replica/stream?format=2&shard=0&from=" + std::to_string(replica.position) +
              "&cluster=" + cluster_ + " HTTP/1.1\r\nHost: o\r\n" + edge_fields() + "\r\n");
  EXPECT_EQ(client.receive_start().status, 200);
  rights::FrameReader reader;
  while (replica.beats_compared < 2) {
    const std::size_t size = std::stoul(client.receive_line(), nullptr, 16);
    ASSERT_GT(size, 0u);
    reader.feed(as_bytes(client.receive_bytes(size + 2).substr(0, size)));
    for (auto frame = reader.next(); frame && *frame; frame = reader.next()) replica.apply(**frame);
  }
  const json edges = json::parse(api("/v1/edges").body);
  EXPECT_GE(edges["revision"], replica.position);
  EXPECT_EQ(edges["root"], hex_text(replica.root()));
  EXPECT_EQ(edges["records"], kRecords);
}

TEST_F(ReplicaRoutesTest, BucketsAndABucketAgree) {
  const auto frames = frames_of(get("/.reelway/v1/replica/buckets?shard=0").body);
  ASSERT_EQ(frames.size(), 1u);
  const auto& buckets = std::get<rights::BucketsFrame>(frames[0]);
  const std::size_t number = rights::bucket_of(entitlement(7).id);
  ReplicaModel part;
  part.apply(get("/.reelway/v1/replica/bucket?shard=0&number=" + std::to_string(number)).body);
  EXPECT_TRUE(part.ended);
  EXPECT_TRUE(part.records.contains(entitlement(7).id));
  EXPECT_EQ(part.root(), buckets.sums[number]);
}

TEST_F(ReplicaRoutesTest, AnEntitlementComesStraightFromTheStore) {
  const PlainResponse known = get("/.reelway/v1/entitlement?id=" + rights::id_text(entitlement(2).id));
  EXPECT_EQ(known.header("Cache-Control"), "no-store");
  auto frames = frames_of(known.body);
  ASSERT_EQ(frames.size(), 2u);
  ASSERT_EQ(std::get<rights::RecordsFrame>(frames[0]).records.size(), 1u);
  EXPECT_EQ(std::get<rights::RecordsFrame>(frames[0]).records[0].record, entitlement(2).record);
  EXPECT_EQ(std::get<rights::EndFrame>(frames[1]).records, 1u);
  frames = frames_of(get("/.reelway/v1/entitlement?id=" + rights::id_text(entitlement(99).id)).body);
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_TRUE(std::get<rights::RecordsFrame>(frames[0]).records.empty());
  EXPECT_GE(std::get<rights::EndFrame>(frames[1]).revision, kRecords);
}

TEST_F(ReplicaRoutesTest, WrongQuestionsAreRefused) {
  const std::string base = "/.reelway/v1/";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"replica/snapshot", "http_bad_request"},
      {"replica/snapshot?format=2&shard=1", "http_not_found"},
      {"replica/snapshot?shard=0", "http_bad_request"},  // an edge of before formats were numbered
      {"replica/snapshot?shard=0&format=3", "http_bad_request"},
      {"replica/stream?shard=0&from=1&cluster=a", "http_bad_request"},
      {"replica/stream?format=2&shard=0&from=x&cluster=a", "http_bad_request"},
      {"replica/stream?format=2&shard=0&from=1", "http_bad_request"},
      {"replica/stream?format=2&shard=1&from=1&cluster=a", "http_not_found"},
      {"replica/buckets?shard=2", "http_not_found"},
      {"replica/bucket?shard=0&number=4096", "http_not_found"},
      {"replica/bucket?shard=0", "http_bad_request"},
      {"replica/nothing", "http_not_found"},
      {"entitlement?id=short", "http_bad_request"},
      {"entitlement?id=%41", "http_bad_request"},
      {"entitlement", "http_bad_request"},
  };
  for (const auto& [path, code] : cases) EXPECT_EQ(code_of(get(base + path)), code) << path;
  const PlainResponse wrong_method = get(base + "heartbeat");
  EXPECT_EQ(wrong_method.status, 405);
  EXPECT_EQ(wrong_method.header("Allow"), "POST");
  EXPECT_EQ(get(base + "replica/buckets?shard=0", "Content-Length: 0\r\n", "POST").status, 405);
  EXPECT_EQ(code_of(PlainClient(media_).get(base + "replica/snapshot?format=2&shard=0")), "not_an_edge");
}

TEST_F(ReplicaRoutesTest, AHeartbeatReachesTheRules) {
  const auto post = [this](const std::string& query) {
    return get("/.reelway/v1/heartbeat?" + query, "Content-Length: 0\r\n", "POST");
  };
  const std::string session(32, 'a');
  EXPECT_EQ(code_of(post("session=" + session)), "http_bad_request");
  EXPECT_EQ(code_of(post("session=" + session + "&entitlement=x&title=film&position_s=-1")), "http_bad_request");
  EXPECT_EQ(code_of(post("session=" + session + "&entitlement=x&title=film&ended=yes")), "http_bad_request");
  EXPECT_EQ(code_of(post("session=" + session + "&entitlement=" + rights::id_text(entitlement(99).id) + "&title=film")),
            "entitlement_not_found");
}

TEST_F(ReplicaRoutesTest, EdgesTellOfThemselvesWithTheKeys) {
  const auto hear = [this](const std::string& state) {
    return get("/.reelway/v1/keys", "Reelway-Edge-State: " + state + "\r\n").status;
  };
  ReplicaModel replica;
  replica.apply(get("/.reelway/v1/replica/snapshot?format=2&shard=0").body);
  EXPECT_EQ(hear("revision=x"), 200);
  EXPECT_TRUE(json::parse(api("/v1/edges").body)["edges"].empty());
  EXPECT_EQ(hear(R"(url="http://127.0.0.1:8090"; revision=)" + std::to_string(replica.position) +
                 "; records=10; root=" + hex_text(replica.root()) + "; staleness_ms=20"),
            200);
  json edge = json::parse(api("/v1/edges").body)["edges"].at(0);
  EXPECT_EQ(edge["edge"], "edge-1");
  EXPECT_EQ(edge["state"], "healthy");
  EXPECT_EQ(edge["in_step"], true);
  EXPECT_EQ(edge["staleness_ms"], 20);
  EXPECT_EQ(hear("revision=" + std::to_string(replica.position) + "; root=" + std::string(32, '0')), 200);
  edge = json::parse(api("/v1/edges").body)["edges"].at(0);
  EXPECT_EQ(edge["state"], "starting");
  EXPECT_EQ(edge["in_step"], false);
  EXPECT_EQ(edge["staleness_ms"], nullptr);
  const std::string metrics = api("/metrics").body;
  for (const std::string line :
       {"reelway_origin_edge_state_malformed_total 1", "reelway_origin_edges{state=\"starting\"} 1",
        "reelway_origin_rights_ready 1", "reelway_origin_rights_records 10",
        "reelway_origin_replica_snapshots_total{outcome=\"ended\"} 1",
        "reelway_origin_media_requests_total{kind=\"replica_snapshot\"} 1"}) {
    EXPECT_NE(metrics.find(line), std::string::npos) << line;
  }
}

TEST_F(ReplicaRoutesTest, DrainingEndsTheStreams) {
  PlainClient client(media_);
  client.send("GET /.reelway/v1/replica/stream?format=2&shard=0&from=1&cluster=" + cluster_ +
              " HTTP/1.1\r\nHost: o\r\n" + edge_fields() + "\r\n");
  PlainResponse response = client.receive_start();
  EXPECT_EQ(response.status, 200);
  TearDown();
  client.receive_rest(response);
  EXPECT_FALSE(response.whole);
}

}  // namespace
}  // namespace reelway::origin
