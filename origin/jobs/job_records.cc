#include "origin/jobs/job_records.h"

#include <algorithm>
#include <functional>

namespace reelway::origin {
namespace {

constexpr std::size_t kPage = 500;

Result<void> put(ControlStore& store, std::string key, std::string value) {
  Txn txn;
  txn.then_operations = {Operation::put(std::move(key), std::move(value))};
  const Result<TxnReply> reply = store.txn(txn);
  if (!reply.ok()) return reply.error();
  return {};
}

Result<void> for_each(ControlStore& store, std::string_view prefix,
                      const std::function<Result<void>(const KeyValue&)>& visit) {
  std::string after;
  for (bool more = true; more;) {
    const Result<Page> page = store.range(prefix, kPage, after);
    if (!page.ok()) return page.error();
    for (const KeyValue& entry : page->entries) {
      REELWAY_TRY(visit(entry));
      after = entry.key;
    }
    more = page->more;
  }
  return {};
}

Result<void> erase_all(ControlStore& store, std::string_view prefix) {
  for (;;) {
    const Result<Page> page = store.range(prefix, kTxnOperationsMax);
    if (!page.ok()) return page.error();
    if (page->entries.empty()) return {};
    Txn txn;
    for (const KeyValue& entry : page->entries) txn.then_operations.push_back(Operation::erase(entry.key));
    const Result<TxnReply> reply = store.txn(txn);
    if (!reply.ok()) return reply.error();
  }
}

}  // namespace

Result<JobRecord> read_job(ControlStore& store, std::string_view job) {
  const std::string key = job_key(job);
  const Result<std::optional<KeyValue>> entry = store.get(key);
  if (!entry.ok()) return entry.error();
  if (!entry->has_value()) return Error{ErrorCode::job_not_found, Side::client, false, std::string(job)};
  return parse_job(key, (*entry)->value);
}

Result<void> write_job(ControlStore& store, const JobRecord& record) {
  return put(store, job_key(record.job), to_json(record));
}

Result<std::vector<JobRecord>> read_jobs(ControlStore& store) {
  std::vector<JobRecord> jobs;
  REELWAY_TRY(for_each(store, kJobPrefix, [&](const KeyValue& entry) -> Result<void> {
    Result<JobRecord> record = parse_job(entry.key, entry.value);
    if (!record.ok()) return std::move(record).error();
    jobs.push_back(std::move(record).value());
    return {};
  }));
  std::stable_sort(jobs.begin(), jobs.end(),
                   [](const JobRecord& a, const JobRecord& b) { return a.created_at_ms < b.created_at_ms; });
  return jobs;
}

bool is_unfinished(const JobRecord& record) {
  return record.state == JobState::queued || record.state == JobState::running || record.state == JobState::held;
}

Result<std::optional<EncodePlan>> read_plan(ControlStore& store, std::string_view job) {
  const std::string key = plan_key(job);
  const Result<std::optional<KeyValue>> entry = store.get(key);
  if (!entry.ok()) return entry.error();
  if (!entry->has_value()) return std::optional<EncodePlan>();
  Result<EncodePlan> plan = parse_plan(key, (*entry)->value);
  if (!plan.ok()) return std::move(plan).error();
  return std::optional<EncodePlan>(std::move(plan).value());
}

Result<void> write_plan(ControlStore& store, std::string_view job, const EncodePlan& plan) {
  return put(store, plan_key(job), to_json(plan));
}

Result<std::vector<std::string>> planned_jobs(ControlStore& store) {
  std::vector<std::string> jobs;
  REELWAY_TRY(for_each(store, kPlanPrefix, [&](const KeyValue& entry) -> Result<void> {
    jobs.push_back(entry.key.substr(kPlanPrefix.size()));
    return {};
  }));
  return jobs;
}

Result<void> erase_parts(ControlStore& store, std::string_view job) {
  REELWAY_TRY(erase_all(store, task_key(job, "")));
  REELWAY_TRY(erase_all(store, claim_key(job, "")));
  Txn txn;
  txn.then_operations = {Operation::erase(plan_key(job))};
  const Result<TxnReply> reply = store.txn(txn);
  if (!reply.ok()) return reply.error();
  return {};
}

}  // namespace reelway::origin
