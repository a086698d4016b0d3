// Reelway's object store client behind a command line, for tests that hold it against servers and clients of others:
//
//   REELWAY_TEST_SECRET=... object_store_tool ENDPOINT KEY_ID list BUCKET [PREFIX]     a key and size a line
//                                                            head BUCKET KEY           size, ETag, kind of checksum
//                                                            get BUCKET KEY FILE       checked by the store's checksum
//                                                            put BUCKET KEY FILE       in parts of 5 MiB when larger
//                                                            erase BUCKET KEY
//                                                            presign BUCKET KEY        a URL that is valid for a minute
//
// REELWAY_TEST_CA names a file of authorities for https,
// REELWAY_TEST_ADDRESSING=host for the virtual-host style, REELWAY_TEST_REGION for another region than us-east-1.
// An error is printed as JSON, and the exit code is 1.

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "common/base/error.h"
#include "origin/objects/object_store.h"

namespace reelway::origin {
namespace {

std::string environment(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : otherwise;
}

Result<void> list(ObjectStore& store, const std::string& bucket, const std::string& prefix, Patience& patience) {
  ListRequest request{prefix, {}, 1000};
  do {
    const auto page = store.list(bucket, request, patience);
    if (!page.ok()) return page.error();
    for (const ListedObject& object : page->objects) {
      std::printf("%s\t%llu\n", object.key.c_str(), static_cast<unsigned long long>(object.size_bytes));
    }
    request.token = page->next_token;
  } while (!request.token.empty());
  return {};
}

Result<void> head(ObjectStore& store, const ObjectName& name, Patience& patience) {
  const auto head = store.head(name, patience);
  if (!head.ok()) return head.error();
  std::printf("%llu %s %s\n", static_cast<unsigned long long>(head->size_bytes), head->etag.c_str(),
              head->checksum ? std::string(name_of(head->checksum->kind)).c_str() : "none");
  return {};
}

Result<void> get(ObjectStore& store, const ObjectName& name, const std::string& file, Patience& patience) {
  const auto head = store.head(name, patience);
  if (!head.ok()) return head.error();
  std::ofstream out(file, std::ios::binary);
  const auto take = [&](ByteView bytes) -> Result<void> {
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    return {};
  };
  return store.read_all(name, *head, take, patience);
}

Result<void> put(ObjectStore& store, const ObjectName& name, const std::string& file, Patience& patience) {
  std::ifstream in(file, std::ios::binary | std::ios::ate);
  HttpBody body;
  body.size_bytes = static_cast<std::uint64_t>(in.tellg());
  body.read = [&in](std::uint64_t offset, std::span<std::uint8_t> out) -> Result<void> {
    in.seekg(static_cast<std::streamoff>(offset));
    in.read(reinterpret_cast<char*>(out.data()), static_cast<std::streamsize>(out.size()));
    return {};
  };
  const auto stored = store.put(name, body, patience);
  if (!stored.ok()) return stored.error();
  std::printf("%s\n", stored->etag.c_str());
  return {};
}

void presign(const ObjectStoreConfig& config, const ObjectName& name, const Clock& clock) {
  access::AwsRequest request;
  request.host = config.endpoint.substr(config.endpoint.find("://") + 3);
  request.path = "/" + name.bucket + "/" + name.key;
  const std::string query =
      access::aws_presigned_query(request, config.credentials, {config.region, "s3"}, clock.wall_s(), 60);
  std::printf("%s%s?%s\n", config.endpoint.c_str(), access::aws_encoded_path(request.path).c_str(), query.c_str());
}

int run(int argc, char** argv) {
  if (argc < 5) return 2;
  ObjectStoreConfig config;
  config.name = "test";
  config.endpoint = argv[1];
  config.region = environment("REELWAY_TEST_REGION", "us-east-1");
  config.path_style = environment("REELWAY_TEST_ADDRESSING", "path") == "path";
  config.ca_file = environment("REELWAY_TEST_CA", "");
  config.credentials = {argv[2], environment("REELWAY_TEST_SECRET", ""), environment("REELWAY_TEST_TOKEN", "")};
  ObjectStoreLimits limits;
  limits.put_part_bytes = 5u << 20;
  const SystemClock clock;
  SystemRandom random;
  ObjectStore store(config, clock, random, limits);
  Patience patience;

  const std::string command = argv[3];
  const ObjectName name{argv[4], argc > 5 ? argv[5] : ""};
  const std::string file = argc > 6 ? argv[6] : "";
  Result<void> done;
  if (command == "list") done = list(store, name.bucket, name.key, patience);
  if (command == "head") done = head(store, name, patience);
  if (command == "get") done = get(store, name, file, patience);
  if (command == "put") done = put(store, name, file, patience);
  if (command == "erase") done = store.erase(name, patience);
  if (command == "presign") presign(config, name, clock);
  if (!done.ok()) std::printf("%s\n", error_json(done.error()).c_str());
  return done.ok() ? 0 : 1;
}

}  // namespace
}  // namespace reelway::origin

int main(int argc, char** argv) {
  return reelway::origin::run(argc, argv);
}
