// `reelway import` asks the origin for the objects below a prefix, page by page, has the origin fetch them, or one film
// at a URL, and makes a title of each as it is complete. The origin goes on fetching when the command is interrupted:
// the same command again finds what has been done and goes on from there.

#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "cli/bucket_url.h"
#include "cli/film_url.h"
#include "cli/import_report.h"
#include "cli/progress.h"
#include "cli/quantity.h"
#include "cli/session.h"

namespace reelway::cli {
namespace {

constexpr std::chrono::milliseconds kPollInterval{250};
constexpr int kPollFailuresMax = 20;
constexpr std::size_t kObjectsMax = 1'000'000;

struct ImportOptions {
  std::string url;
  std::string store;
  std::string title;
  std::string name;
  std::string title_from = "name";
  std::string language = "en";
  std::string sha256;
  std::vector<std::string> endings;
  bool list = false;
  bool upload_only = false;
  bool new_version = false;
  bool detach = false;
  int page_size = 1000;
};

// One object, or the film of the URL, on its way.
struct Item {
  std::string key;  // a URL's without its secrets
  std::string title;
  std::uint64_t size_bytes = 0;
  Json import;  // the origin's last word on it
  std::string job;
};

struct Import {
  const Session& session;
  const ImportOptions& options;
  BucketUrl from;
  std::optional<FilmUrl> url;  // then nothing else says where from
  HttpClient origin;
  ProgressDisplay* progress;  // null with --json

  bool names_folder() const { return !url && from.names_folder(); }
};

bool is_wanted(const ImportOptions& options, const std::string& key) {
  if (options.endings.empty()) return true;
  return std::any_of(options.endings.begin(), options.endings.end(),
                     [&](const std::string& ending) { return key.ends_with(ending); });
}

// All objects whose keys begin with the prefix, over as many pages as it takes.
Result<std::vector<Json>> list_objects(const Import& import) {
  std::vector<Json> objects;
  Json request{{"bucket", import.from.bucket}, {"prefix", import.from.prefix}, {"limit", import.options.page_size}};
  if (!import.options.store.empty()) request["store"] = import.options.store;
  while (true) {
    const auto page = import.origin.post("/v1/object-stores/list", request);
    if (!page) return page.error();
    for (const Json& object : list_at(*page, "objects")) {
      if (is_wanted(import.options, text_at(object, "key"))) objects.push_back(object);
    }
    const std::string token = text_at(*page, "token");
    if (token.empty()) return objects;
    if (objects.size() > kObjectsMax) return usage_error("more than a million objects: name a longer prefix");
    request["token"] = token;
  }
}

// What is to be imported: the one object that the URL names, or all films below it.
Result<std::vector<Item>> choose(const Import& import) {
  const ImportOptions& options = import.options;
  std::vector<Item> items;
  if (import.url) {
    items.push_back({import.url->shown, options.title.empty() ? import.url->title : options.title, 0, {}, {}});
  } else if (!import.from.names_folder()) {
    items.push_back({import.from.prefix, options.title, 0, {}, {}});
  } else {
    const auto objects = list_objects(import);
    if (!objects) return objects.error();
    for (const Json& object : *objects) {
      // Consoles mark folders by empty objects; there is no film in them.
      if (count_at(object, "size_bytes") > 0) items.push_back({text_at(object, "key"), options.title, 0, {}, {}});
    }
  }
  if (!options.title.empty() && items.size() > 1) {
    return usage_error(fmt::format("--title names one title, and there are {} objects", items.size()));
  }
  std::map<std::string, std::string> keys;  // by title
  for (Item& item : items) {
    if (item.title.empty()) item.title = title_of_key(item.key, options.title_from == "key");
    if (item.title.empty()) return usage_error("the key " + item.key + " gives no title id; name one with --title");
    const auto [other, is_new] = keys.emplace(item.title, item.key);
    if (!is_new) {
      return usage_error(fmt::format("{} and {} would both become title {}; try --title-from key", other->second,
                                     item.key, item.title));
    }
  }
  return items;
}

Result<Json> begin(const Import& import, const Item& item) {
  Json request{{"title", item.title}};
  if (import.url) {
    request["url"] = import.url->text;
  } else {
    request["bucket"] = import.from.bucket;
    request["key"] = item.key;
  }
  if (!import.options.sha256.empty()) request["sha256"] = import.options.sha256;
  if (!import.options.store.empty()) request["store"] = import.options.store;
  if (import.options.new_version) request["new_version"] = true;
  return import.origin.post("/v1/imports", request);
}

Result<void> create_title(const Import& import, Item& item) {
  Json request{
      {"title", item.title}, {"upload", text_at(item.import, "upload")}, {"language", import.options.language}};
  if (!import.options.name.empty()) request["name"] = import.options.name;
  if (import.options.new_version) request["new_version"] = true;
  const auto created = import.origin.post("/v1/titles", request);
  if (!created) return created.error();
  item.job = text_at(*created, "job");
  return {};
}

// The error of an import as one of the table.
Error import_error(const Item& item) {
  Error error = server_error(0, one_line(Json{{"error", object_at(item.import, "error")}}), "import of " + item.key);
  error.retry = false;
  return error;
}

// One look at one import; its title as soon as it is complete. Whether it has ended.
Result<bool> look(const Import& import, Item& item) {
  const auto status = import.origin.get("/v1/imports/" + text_at(item.import, "import"));
  if (!status) return status.error();
  item.import = *status;
  const std::string state = text_at(*status, "state");
  if (state == "failed") return import_error(item);
  if (state == "cancelled") return usage_error("the import of " + item.key + " was cancelled");
  if (state != "done") return false;
  if (!import.options.upload_only) {
    if (auto created = create_title(import, item); !created) return created.error();
  }
  return true;
}

void show_progress(const Import& import, const std::vector<Item>& items, std::size_t ended, Clock::Monotonic began) {
  if (import.progress == nullptr) return;
  std::uint64_t total = 0, received = 0;
  for (const Item& item : items) {
    total += item.size_bytes;
    received += count_at(item.import, "received_bytes");
  }
  const double seconds = std::chrono::duration<double>(import.session.clock.monotonic() - began).count();
  const std::string rate = seconds > 0.5 ? ", " + format_rate(static_cast<double>(received) / seconds) : "";
  import.progress->update(total == 0 ? 0 : static_cast<double>(received) / static_cast<double>(total),
                          fmt::format("{} of {}{}", ended, items.size(), rate));
}

// Until all have ended. One that fails does not stop the others; the first failure is the error.
Result<void> follow(const Import& import, std::vector<Item>& items) {
  const auto began = import.session.clock.monotonic();
  if (import.progress != nullptr) import.progress->begin("import");
  std::vector<bool> has_ended(items.size());
  std::optional<Error> first;
  std::size_t ended = 0;
  for (int failures = 0; ended < items.size();) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (has_ended[i]) continue;
      const auto looked = look(import, items[i]);
      if (!looked && looked.error().retry && ++failures < kPollFailuresMax) break;
      if (looked) failures = 0;
      if (looked && !*looked) continue;
      has_ended[i] = true;
      ++ended;
      if (looked) continue;
      import.session.remark(fmt::format("{}: {}", printable(items[i].key), printable(describe(looked.error()))));
      if (!first) first = looked.error();
    }
    show_progress(import, items, ended, began);
    if (ended < items.size()) std::this_thread::sleep_for(kPollInterval);
  }
  if (first) {
    if (import.progress != nullptr) import.progress->abandon();
    return *first;
  }
  if (import.progress != nullptr) import.progress->end(fmt::format("{} of {}", ended, items.size()));
  return {};
}

Json items_json(const std::vector<Item>& items) {
  Json list = Json::array();
  for (const Item& item : items) {
    Json value = item.import;
    if (!item.job.empty()) value["job"] = item.job;
    list.push_back(std::move(value));
  }
  return Json{{"imports", std::move(list)}};
}

Result<void> show_list(const Import& import) {
  const auto objects = list_objects(import);
  if (!objects) return objects.error();
  if (import.session.json)
    import.session.print_json(Json{{ "objects", *objects }});
  else
    import.session.print(objects_report(*objects, import.session.out));
  return {};
}

// Begins each. Of many, those whose title is there already are left out: an earlier run has made it.
Result<void> begin_all(const Import& import, std::vector<Item>& items) {
  std::vector<Item> begun;
  for (Item& item : items) {
    auto answer = begin(import, item);
    if (!answer && answer.error().code == ErrorCode::title_exists && import.names_folder()) {
      import.session.remark(
          fmt::format("{} is left out: there is a title {}", printable(item.key), printable(item.title)));
      continue;
    }
    if (!answer) return answer.error();
    item.import = std::move(*answer);
    item.size_bytes = count_at(item.import, "size_bytes");
    const std::string size = item.size_bytes == 0 ? "size not known" : format_bytes(item.size_bytes);
    import.session.remark(fmt::format("{} ({}) becomes title {}", printable(item.key), size, printable(item.title)));
    begun.push_back(std::move(item));
  }
  items = std::move(begun);
  return {};
}

Result<void> import_objects(Session& session, const ImportOptions& options) {
  auto url = film_url(options.url);
  if (!url) return url.error();
  if (*url && (options.list || !options.store.empty() || !options.endings.empty())) {
    return usage_error("--list, --store and --ending are for buckets");
  }
  auto from = *url ? Result<BucketUrl>(BucketUrl{}) : parse_bucket_url(options.url);
  if (!from) return from.error();
  if (!options.sha256.empty() && !*url && from->names_folder()) return usage_error("--sha256 is for one film");
  auto origin = session.origin();
  if (!origin) return origin.error();
  ProgressDisplay display{stderr, session.err, session.clock};
  const Import import{
      session, options, std::move(*from), std::move(*url), std::move(*origin), session.json ? nullptr : &display};
  if (options.list) return show_list(import);

  auto items = choose(import);
  if (!items) return items.error();
  if (items->empty()) return usage_error("there is nothing to import below " + options.url);
  if (auto begun = begin_all(import, *items); !begun) return begun;
  const Result<void> followed = options.detach ? Result<void>() : follow(import, *items);
  if (session.json && followed.ok()) session.print_json(items_json(*items));
  if (!session.json && options.detach) session.print("See how far they are with: reelway imports\n");
  if (!session.json && followed.ok() && !options.detach && !options.upload_only) {
    session.print("The titles are being transcoded. See how far they are with: reelway titles\n");
  }
  return followed;
}

constexpr const char* kExamples = R"help(
Examples:
  reelway import --list s3://films/2024/
  reelway import s3://films/2024/sintel.mov --title sintel --name "Sintel"
  reelway import s3://films/2024/ --ending .mp4 --ending .mov
  reelway import s3://films/ --store archive --title-from key --detach
  reelway import https://media.vendor.example/sintel.mov --title sintel --sha256 "$(cat sintel.sha256)"
  reelway import - --title sintel < signed_url.txt

The origin fetches the objects, with the credentials that its configuration has under object_stores, and
makes a title of each that is complete. An s3:// URL that ends in '/' means all objects below it. A film at a
URL of http or https is fetched from the hosts that imports.url_hosts allows; what is secret in such a URL is
better given by '-', on standard input, than in a command line that others can list. Interrupting the command
does not stop what has begun; the same command again goes on.)help";

}  // namespace

void add_import(CLI::App& app, Invocation& chosen) {
  auto options = std::make_shared<ImportOptions>();
  CLI::App* command = app.add_subcommand("import", "Bring films in from an S3-compatible bucket, or one from a URL");
  command
      ->add_option("url", options->url,
                   "s3://BUCKET/KEY for one object, s3://BUCKET/PREFIX/ for all below; https://HOST/PATH; '-': the URL "
                   "is on standard input")
      ->required()
      ->type_name("URL");
  command->add_flag("--list", options->list, "Only list the objects whose keys begin with what the URL names");
  command
      ->add_option("--store", options->store,
                   "Object store, as the origin's configuration names it (default: the only one)")
      ->type_name("NAME");
  command->add_option("--title", options->title, "Title id, for one object (default: made of the key)")
      ->type_name("ID");
  command
      ->add_option("--title-from", options->title_from, "What title ids are made of: name, the key's last part, or key")
      ->check(CLI::IsMember({"name", "key"}))
      ->type_name("PART");
  command->add_option("--name", options->name, "Name for people (default: the title id)")->type_name("NAME");
  command->add_option("--language", options->language, "Language of sound whose file names none (default: en)")
      ->type_name("TAG");
  command->add_option("--sha256", options->sha256, "The SHA-256 that the film must have, in hexadecimal digits")
      ->type_name("SUM");
  command->add_option("--ending", options->endings, "Only keys that end so; may be given again")
      ->type_name("TEXT")
      ->take_all();
  command->add_flag("--new-version", options->new_version, "Each becomes the next version of an existing title");
  command->add_flag("--upload-only", options->upload_only, "Fetch, but make no titles: the uploads wait for a week");
  command->add_flag("--detach", options->detach, "Begin, and do not wait: no titles are made");
  command->add_option("--page-size", options->page_size, "Objects that a page of the listing may have (default: 1000)")
      ->check(CLI::Range(1, 1000))
      ->type_name("COUNT");
  command->footer(kExamples);
  command->callback(
      [options, &chosen] { chosen.run = [options](Session& session) { return import_objects(session, *options); }; });
}

}  // namespace reelway::cli
