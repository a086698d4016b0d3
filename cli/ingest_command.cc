// `reelway ingest` in four steps: open the upload (everything that can refuse it is asked before a byte is sent; one
// that an earlier command left unfinished is taken up), send what is missing, create the title from it, follow the job
// to its end. Interrupting the command within the upload loses nothing, after it the job runs on at the origin.

#include <spdlog/fmt/fmt.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "cli/film_file.h"
#include "cli/jobs_report.h"
#include "cli/progress.h"
#include "cli/quantity.h"
#include "cli/session.h"
#include "cli/title_report.h"
#include "cli/tus_upload.h"
#include "common/access/title_name.h"

namespace reelway::cli {
namespace {

constexpr int kPollFailuresMax = 20;
constexpr std::chrono::milliseconds kPollInterval{250};

struct IngestOptions {
  std::string file;
  std::string manifest;  // of a delivery, instead of the file
  std::string title;
  std::string name;
  std::string language = "en";
  bool new_version = false;
};

// A running command: the client and the line that shows how far it is.
struct Ingest {
  const Session& session;
  const IngestOptions& options;
  HttpClient origin;
  ProgressDisplay* progress;  // null with --json
};

// Sends what the origin does not have yet, with the line that shows it; it goes on over breaks.
Result<void> send_film(const Ingest& ingest, const TusFile& film, const TusUpload& upload) {
  const Clock& clock = ingest.session.clock;
  const auto began = clock.monotonic();
  const double size = static_cast<double>(film.size_bytes);
  ProgressDisplay* progress = ingest.progress;
  std::string rate;
  const auto show_rate = [&](std::uint64_t done) {
    const double seconds = std::chrono::duration<double>(clock.monotonic() - began).count();
    const double sent = static_cast<double>(done - std::min(done, upload.offset));
    if (seconds > 0.2) rate = format_rate(sent / seconds);
  };
  TusEvents events;
  events.progress = [&](std::uint64_t done) {
    show_rate(done);
    if (progress != nullptr) progress->update(static_cast<double>(done) / size, rate);
  };
  events.broke_off = [&](const Error& error) {
    if (progress == nullptr) return;
    progress->relabel("waiting");
    ingest.session.remark("The upload broke off and goes on when the origin answers: " + printable(error.detail));
  };
  events.wait = [&](std::chrono::milliseconds pause) {
    std::this_thread::sleep_for(pause);
    if (progress != nullptr) progress->relabel("upload");
  };
  if (progress != nullptr) progress->begin("upload", static_cast<double>(upload.offset) / size);
  const auto sent = send_upload(ingest.origin, film, upload, RetryPace{}, clock, events);
  if (progress == nullptr) return sent;
  if (sent.ok()) {
    progress->end(format_bytes(film.size_bytes) + (rate.empty() ? "" : ", " + rate));
  } else {
    progress->abandon();
  }
  return sent;
}

void say_what_begins(const Session& session, const TusFile& film, const TusUpload& upload) {
  session.remark(fmt::format("{} ({}) becomes title {}", printable(access::file_name(film.file)),
                             format_bytes(film.size_bytes), printable(film.title)));
  if (upload.complete) {
    session.remark("It has been uploaded already.");
  } else if (upload.offset > 0) {
    session.remark(fmt::format("The upload that was begun before goes on at {} of {}", format_bytes(upload.offset),
                               format_bytes(film.size_bytes)));
  }
}

// A film that is there already is told of, and not refused. Empty for none.
std::string tell_duplicate(const Ingest& ingest, const std::string& upload) {
  const auto status = ingest.origin.get("/v1/uploads/" + upload);
  if (!status) return {};  // what comes next says what is wrong
  std::string original = text_at(*status, "duplicate_of");
  if (!original.empty()) {
    ingest.session.remark(fmt::format("Note: {} has the same bytes as its original.", printable(original)));
  }
  return original;
}

Result<Json> create_title(const Ingest& ingest, const std::string& upload) {
  const IngestOptions& options = ingest.options;
  Json request{{"title", options.title}, {"upload", upload}, {"language", options.language}};
  if (!options.name.empty()) request["name"] = options.name;
  if (options.new_version) request["new_version"] = true;
  return ingest.origin.post("/v1/titles", request);
}

// The job's error as an Error of the table, so that it is reported like any other.
Error job_error(const Json& job) {
  const Json& error = object_at(job, "error");
  if (!error.empty())
    return server_error(0, one_line(error.contains("error") ? error : Json{{"error", error}}), "the job");
  return {ErrorCode::transcode_failed, Side::upstream, false, text_at(job, "error")};
}

Result<void> follow_job(const Ingest& ingest, const std::string& job) {
  if (ingest.progress != nullptr) ingest.progress->begin("queued");
  for (int failures = 0;;) {
    const auto status = ingest.origin.get("/v1/jobs/" + job);
    if (!status) {
      if (!status.error().retry || ++failures == kPollFailuresMax) return status.error();
    } else {
      failures = 0;
      const std::string state = text_at(*status, "state");
      if (ingest.progress != nullptr) {
        show_job_progress(*ingest.progress, *status);
      }
      if (state == "done") return {};
      if (state == "failed" || state == "held") return job_error(*status);
    }
    std::this_thread::sleep_for(kPollInterval);
  }
}

// The version just published, out of the title's answer.
Json find_version(const Json& title, const std::string& version) {
  for (const Json& entry : list_at(title, "versions")) {
    if (text_at(entry, "version") == version) return entry;
  }
  return Json::object();
}

void report(const Session& session, const Json& created, const Json& version) {
  if (session.json) {
    Json result = version;
    result.update(created);
    session.print_json(result);
    return;
  }
  const std::string title = printable(text_at(created, "title"));
  session.print(fmt::format("\n{} {}", styled(session.out, Style::bold, title), version_report(version, session.out)));
  if (text_at(version, "state") == "ready") {
    const std::string name = printable(text_at(version, "version"));
    session.print(fmt::format("\nIt plays when somebody has approved it: reelway approve {} {}\n", title, name));
    return;
  }
  session.print(fmt::format("\nGet a play URL with: reelway play-url {}\n", title));
}

// Follows the job of what was created to its end, and tells what was published.
Result<void> finish(const Ingest& ingest, Json created) {
  if (auto followed = follow_job(ingest, text_at(created, "job")); !followed) {
    if (ingest.progress != nullptr) ingest.progress->abandon();
    return followed;
  }
  if (ingest.progress != nullptr) {
    ingest.progress->relabel("done");
    ingest.progress->end();
  }
  const auto title = ingest.origin.get("/v1/titles/" + text_at(created, "title"));
  if (!title) return title.error();
  report(ingest.session, created, find_version(*title, text_at(created, "version")));
  return {};
}

// The files that a manifest names, which lie beside it. All are looked at before the first one is sent.
Result<std::vector<std::pair<std::string, TusFile>>> delivered_files(const std::string& manifest, const Json& checked) {
  const auto slash = manifest.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : manifest.substr(0, slash + 1);
  std::vector<std::pair<std::string, TusFile>> files;
  for (const Json& entry : list_at(checked, "files")) {
    const std::string name = text_at(entry, "file"), path = folder + name;
    const auto size_bytes = film_size(path);
    if (!size_bytes) {
      return Error{ErrorCode::delivery_file_missing, Side::client, false,
                   fmt::format("{}:{}: {}", manifest, count_at(entry, "line"), size_bytes.error().detail)};
    }
    const auto fingerprint = file_fingerprint(path);
    if (!fingerprint) return fingerprint.error();
    files.emplace_back(name, TusFile{path, *size_bytes, *fingerprint, "", false});
  }
  return files;
}

Result<void> ingest_delivery(Session& session, const IngestOptions& options) {
  std::ifstream file(options.manifest, std::ios::binary);
  if (!file) return usage_error("the manifest cannot be read: " + options.manifest);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto origin = session.origin();
  if (!origin) return origin.error();
  ProgressDisplay display{stderr, session.err, session.clock};
  const Ingest ingest{session, options, std::move(*origin), session.json ? nullptr : &display};
  Json request{{"manifest", text}, {"manifest_name", options.manifest}};
  const auto checked = ingest.origin.post("/v1/deliveries/check", request);
  if (!checked) return checked.error();
  const auto files = delivered_files(options.manifest, *checked);
  if (!files) return files.error();
  for (const auto& [name, sent] : *files) {
    const auto upload = open_upload(ingest.origin, sent);
    if (!upload) return upload.error();
    session.remark(fmt::format("{} ({})", printable(name), format_bytes(sent.size_bytes)));
    if (const auto done = send_film(ingest, sent, *upload); !done) return done.error();
    request["uploads"][name] = upload->id;
  }
  auto created = ingest.origin.post("/v1/deliveries", request);
  if (!created) return created.error();
  return finish(ingest, std::move(*created));
}

Result<void> ingest_film(Session& session, IngestOptions options) {
  const auto size_bytes = film_size(options.file);
  if (!size_bytes) return size_bytes.error();
  if (options.title.empty()) options.title = access::derive_title_id(options.file);
  if (options.title.empty()) return usage_error("the file's name gives no title id; name one with --title");
  auto origin = session.origin();
  if (!origin) return origin.error();
  ProgressDisplay display{stderr, session.err, session.clock};
  const Ingest ingest{session, options, std::move(*origin), session.json ? nullptr : &display};

  const auto fingerprint = file_fingerprint(options.file);
  if (!fingerprint) return fingerprint.error();
  const TusFile film{options.file, *size_bytes, *fingerprint, options.title, options.new_version};
  const auto upload = open_upload(ingest.origin, film);
  if (!upload) return upload.error();
  say_what_begins(session, film, *upload);
  if (const auto sent = send_film(ingest, film, *upload); !sent) return sent.error();
  const std::string duplicate_of = tell_duplicate(ingest, upload->id);
  const auto created = create_title(ingest, upload->id);
  if (!created) return created.error();
  Json known = *created;
  if (!duplicate_of.empty()) known["duplicate_of"] = duplicate_of;
  return finish(ingest, std::move(known));
}

Result<void> ingest(Session& session, const IngestOptions& options) {
  if (options.file.empty() == options.manifest.empty())
    return usage_error("name one FILE, or --manifest and a manifest");
  if (options.manifest.empty()) return ingest_film(session, options);
  if (!options.title.empty() || !options.name.empty() || options.new_version) {
    return usage_error("the manifest names title, name and new_version; leave out --title, --name and --new-version");
  }
  return ingest_delivery(session, options);
}

constexpr const char* kExamples = R"help(
Examples:
  reelway ingest sintel.mp4
  reelway ingest "Sintel (2010).mov" --title sintel --name "Sintel" --language en
  reelway ingest sintel-restored.mp4 --title sintel --new-version
  reelway ingest --manifest /deliveries/sintel/delivery.yaml

The film is uploaded, transcoded into a ladder that fits it, indexed and published. Nothing of it
is visible before all is done. When the connection breaks or the origin is started again, the upload
goes on from where it was; the same command after an interruption goes on too. Interrupting the
command after the upload does not stop the job. A manifest names the files of a delivery, which lie
beside it: picture, sound per language, subtitles and so on; docs/ingest.md has its form.)help";

}  // namespace

void add_ingest(CLI::App& app, Invocation& chosen) {
  auto options = std::make_shared<IngestOptions>();
  CLI::App* command = app.add_subcommand("ingest", "Bring a film in: upload, transcode, publish");
  command->add_option("file", options->file, "The film, in any form that ffmpeg reads")->type_name("FILE");
  command->add_option("--manifest", options->manifest, "A delivery's manifest, instead of the film")->type_name("FILE");
  command->add_option("--title", options->title, "Title id: a-z, 0-9 and '-' (default: made of the file's name)")
      ->type_name("ID");
  command->add_option("--name", options->name, "Name for people (default: the title id)")->type_name("NAME");
  command->add_option("--language", options->language, "Language of sound whose file names none (default: en)")
      ->type_name("TAG");
  command->add_flag("--new-version", options->new_version, "Publish it as the next version of an existing title");
  command->footer(kExamples);
  command->callback(
      [options, &chosen] { chosen.run = [options](Session& session) { return ingest(session, *options); }; });
}

}  // namespace reelway::cli
