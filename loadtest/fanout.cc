#include "loadtest/fanout.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "loadtest/figures.h"

namespace reelway::loadtest {
namespace {

class Run final : public ClientListener {
 public:
  Run(ring::Ring& ring, const RequestList& list, const FanoutOptions& options)
      : ring_(ring),
        list_(list),
        settings_{list.address, BodyUse::checksum, options.expected_status, options.timeout},
        exchanges_(options.clients) {
    for (std::size_t i = 0; i < options.clients; ++i) {
      connections_.push_back(std::make_unique<ClientConnection>(ring, settings_, *this));
    }
  }

  Result<FanoutReport> run() {
    for (auto& connection : connections_) connection->open();
    ring_.run();
    ring_.abandon();
    if (!connect_failure_.empty()) {
      return Error{ErrorCode::upstream_unreachable, Side::upstream, true, list_.authority + ": " + connect_failure_};
    }
    FanoutReport report;
    for (Exchange& exchange : exchanges_) {
      FanoutReport::Client client{.exchange = std::move(exchange)};
      if (client.exchange.first_byte != Exchange::Time{}) client.first_byte = client.exchange.first_byte - released_;
      client.end = client.exchange.ended - released_;
      report.clients.push_back(std::move(client));
    }
    return report;
  }

 private:
  void opened(ClientConnection&) override {
    if (++open_ == connections_.size()) ring_.defer([this] { release(); });
  }

  void release() {
    released_ = std::chrono::steady_clock::now();
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      connections_[i]->ask(list_.requests[i % list_.requests.size()]);
    }
  }

  void ended(ClientConnection& connection, const Exchange& exchange) override {
    if (exchange.failure == Failure::connect || open_ < connections_.size()) {
      connect_failure_ = exchange.detail;
      return ring_.stop();
    }
    const auto place = std::find_if(connections_.begin(), connections_.end(),
                                    [&](const auto& candidate) { return candidate.get() == &connection; });
    exchanges_[static_cast<std::size_t>(place - connections_.begin())] = exchange;
    if (++ended_ == connections_.size()) ring_.stop();
  }

  ring::Ring& ring_;
  const RequestList& list_;
  const ClientSettings settings_;
  std::vector<std::unique_ptr<ClientConnection>> connections_;
  std::vector<Exchange> exchanges_;
  Exchange::Time released_;
  std::size_t open_ = 0;
  std::size_t ended_ = 0;
  std::string connect_failure_;
};

std::chrono::nanoseconds last_first_byte(const FanoutReport& report) {
  std::chrono::nanoseconds last{0};
  for (const auto& client : report.clients) last = std::max(last, client.first_byte);
  return last;
}

nlohmann::json client_json(const FanoutReport::Client& client) {
  const Exchange& exchange = client.exchange;
  nlohmann::json body = {{"status", exchange.status},
                         {"first_byte_ms", ms(client.first_byte)},
                         {"end_ms", ms(client.end)},
                         {"bytes", exchange.body_bytes},
                         {"crc32c", fmt::format("{:08x}", exchange.crc32c)},
                         {"cache_status", exchange.cache_status}};
  if (exchange.failure) body["error"] = {{"kind", failure_name(*exchange.failure)}, {"detail", exchange.detail}};
  return body;
}

}  // namespace

std::uint64_t FanoutReport::failed() const {
  return static_cast<std::uint64_t>(std::count_if(
      clients.begin(), clients.end(), [](const Client& client) { return client.exchange.failure.has_value(); }));
}

bool FanoutReport::equal_bodies() const {
  return std::all_of(clients.begin(), clients.end(), [this](const Client& client) {
    const Exchange& first = clients.front().exchange;
    return !client.exchange.failure && client.exchange.body_bytes == first.body_bytes &&
           client.exchange.crc32c == first.crc32c;
  });
}

bool FanoutReport::first_bytes_before_any_end() const {
  const auto last = last_first_byte(*this);
  return std::all_of(clients.begin(), clients.end(),
                     [last](const Client& client) { return client.first_byte.count() > 0 && last < client.end; });
}

bool FanoutReport::first_bytes_before_last_end() const {
  const auto last = last_first_byte(*this);
  return std::all_of(clients.begin(), clients.end(),
                     [](const Client& client) { return client.first_byte.count() > 0; }) &&
         std::any_of(clients.begin(), clients.end(), [last](const Client& client) { return last < client.end; });
}

std::map<std::string, std::uint64_t> FanoutReport::cache_statuses() const {
  std::map<std::string, std::uint64_t> counts;
  for (const Client& client : clients) ++counts[client.exchange.cache_status];
  return counts;
}

std::string FanoutReport::json() const {
  const auto ends = std::minmax_element(clients.begin(), clients.end(),
                                        [](const Client& a, const Client& b) { return a.end < b.end; });
  nlohmann::json body = {{"clients", nlohmann::json::array()},
                         {"count", clients.size()},
                         {"errors", failed()},
                         {"equal_bodies", equal_bodies()},
                         {"cache_statuses", cache_statuses()},
                         {"first_byte_last_ms", ms(last_first_byte(*this))},
                         {"end_first_ms", ms(ends.first->end)},
                         {"end_last_ms", ms(ends.second->end)},
                         {"first_bytes_before_any_end", first_bytes_before_any_end()},
                         {"first_bytes_before_last_end", first_bytes_before_last_end()}};
  for (const Client& client : clients) body["clients"].push_back(client_json(client));
  return json_text(body);
}

Result<FanoutReport> run_fanout(ring::Ring& ring, const RequestList& list, const FanoutOptions& options) {
  return Run(ring, list, options).run();
}

}  // namespace reelway::loadtest
