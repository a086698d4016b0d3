#pragma once

#include <string>

#include "origin/fleet/beat_writer.h"
#include "origin/fleet/change_stream.h"
#include "origin/fleet/edge_registry.h"
#include "origin/fleet/rights_mirror.h"
#include "origin/fleet/signing_keys.h"
#include "origin/ingest/imports.h"
#include "origin/io/file_reader.h"
#include "origin/jobs/ingest_jobs.h"
#include "origin/net/event_loop.h"
#include "origin/net/server.h"
#include "origin/request/metrics.h"
#include "origin/storage/storage_parts.h"

namespace reelway::origin {

// Where the figures of the metrics page come from.
struct MetricSources {
  const EventLoop& loop;
  const HttpServer& api;
  const HttpServer& media;
  const FileReader& files;
  const Imports& imports;
  const IngestJobs& jobs;
  const StorageCounters& storage;
  const SigningKeys& keys;
  const RightsMirror& mirror;
  const BeatWriter& beats;
  const ReplicaCounters& replicas;
  const EdgeRegistry& edges;
  const RequestCounters& requests;
};

std::string metrics_page(const MetricSources& sources);

}  // namespace reelway::origin
