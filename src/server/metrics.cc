#include "server/metrics.h"

#include "ringroom/version.h"

#include <array>
#include <limits>
#include <vector>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace ringroom::server {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using shard::DurationHistogram;
using shard::Stats;

struct Number {
  const char* name;
  const char* help;
  MetricType type;
  shard::Counter Stats::*member;
};

constexpr std::array<Number, 26> numbers = {{
    {"ringroom_connections", "Client connections open now, WebSocket and HTTP.", MetricType::Gauge,
     &Stats::connections_open},
    {"ringroom_connections_parked", "Connections of sleeping agents that cost a record only.",
     MetricType::Gauge, &Stats::connections_parked},
    {"ringroom_connections_total", "Client connections accepted, WebSocket and HTTP.",
     MetricType::Counter, &Stats::connections_total},
    {"ringroom_agents_awake", "Agents in memory now.", MetricType::Gauge, &Stats::agents_awake},
    {"ringroom_agents_created_total", "Agents constructed.", MetricType::Counter,
     &Stats::agents_created_total},
    {"ringroom_rooms", "Rooms known now, asleep or awake.", MetricType::Gauge, &Stats::rooms},
    {"ringroom_messages_received_total", "WebSocket messages received.", MetricType::Counter,
     &Stats::messages_received_total},
    {"ringroom_messages_sent_total", "WebSocket messages sent.", MetricType::Counter,
     &Stats::messages_sent_total},
    {"ringroom_received_bytes_total", "Bytes received from clients.", MetricType::Counter,
     &Stats::bytes_received_total},
    {"ringroom_sent_bytes_total", "Bytes sent to clients.", MetricType::Counter,
     &Stats::bytes_sent_total},
    {"ringroom_requests_total", "HTTP requests, upgrades included.", MetricType::Counter,
     &Stats::requests_total},
    {"ringroom_upgrades_refused_total", "Upgrade requests answered with an error.",
     MetricType::Counter, &Stats::upgrades_refused_total},
    {"ringroom_handovers_total", "Sockets handed over to the home shard of their room.",
     MetricType::Counter, &Stats::handovers_total},
    {"ringroom_receive_buffers_exhausted_total", "Receives that found no free buffer.",
     MetricType::Counter, &Stats::receive_buffers_exhausted_total},
    {"ringroom_outbox_dropped_total", "Frames dropped because a client read too slowly.",
     MetricType::Counter, &Stats::outbox_dropped_total},
    {"ringroom_outbox_closed_total", "Connections closed because the client read too slowly.",
     MetricType::Counter, &Stats::outbox_closed_total},
    {"ringroom_callbacks_failed_total", "Callbacks of agents that threw.", MetricType::Counter,
     &Stats::callbacks_failed_total},
    {"ringroom_callbacks_slow_total", "Callbacks of agents that held their shard too long.",
     MetricType::Counter, &Stats::callbacks_slow_total},
    {"ringroom_databases_open", "Databases of rooms open now.", MetricType::Gauge,
     &Stats::databases_open},
    {"ringroom_databases_opened_total", "Databases of rooms opened.", MetricType::Counter,
     &Stats::databases_opened_total},
    {"ringroom_storage_commits_total", "Turns of rooms that wrote, committed into the log.",
     MetricType::Counter, &Stats::storage_commits_total},
    {"ringroom_storage_log_writes_total",
     "Writes of the log for all rooms that wrote meanwhile; one sync each if --durability strict.",
     MetricType::Counter, &Stats::storage_log_writes_total},
    {"ringroom_storage_log_bytes_total", "Bytes written to the log.", MetricType::Counter,
     &Stats::storage_log_bytes_total},
    {"ringroom_storage_segments_waiting",
     "Full segments of the log that aren't in the rooms' files yet.", MetricType::Gauge,
     &Stats::storage_segments_waiting},
    {"ringroom_storage_segments_written_back_total",
     "Segments of the log written into the rooms' files: checkpoints.", MetricType::Counter,
     &Stats::storage_segments_written_back_total},
    {"ringroom_storage_failures_total",
     "Times that the log could not be written; rooms lost what they had not told anybody.",
     MetricType::Counter, &Stats::storage_failures_total},
}};

struct Duration {
  const char* name;
  const char* help;
  DurationHistogram Stats::*member;
};

constexpr std::array<Duration, 4> durations = {{
    {"ringroom_turn_seconds", "Time of a shard's turn, without its waiting.", &Stats::turn_time},
    {"ringroom_tick_lateness_seconds", "How late on_tick was called.", &Stats::tick_lateness},
    {"ringroom_storage_gate_wait_seconds",
     "From the first commit of a batch until it was durable, and its rooms could speak.",
     &Stats::gate_wait},
    {"ringroom_job_lateness_seconds", "How late alarms and scheduled tasks began.",
     &Stats::job_lateness},
}};

ClientMetric labelled(std::size_t shard) {
  ClientMetric metric;
  metric.label.push_back({"shard", std::to_string(shard)});
  return metric;
}

MetricFamily family_of(const Number& number, std::span<const Stats* const> shards) {
  MetricFamily family{number.name, number.help, number.type, {}};
  for (std::size_t i = 0; i < shards.size(); ++i) {
    ClientMetric metric = labelled(i);
    const auto value = static_cast<double>((shards[i]->*number.member).value());
    (number.type == MetricType::Gauge ? metric.gauge.value : metric.counter.value) = value;
    family.metric.push_back(std::move(metric));
  }
  return family;
}

ClientMetric::Histogram histogram_of(const DurationHistogram& durations_seen) {
  ClientMetric::Histogram histogram;
  for (std::size_t i = 0; i < DurationHistogram::buckets; ++i) {
    const bool is_last = i + 1 == DurationHistogram::buckets;
    histogram.sample_count += durations_seen.count(i);
    histogram.bucket.push_back(
        {histogram.sample_count,
         is_last ? std::numeric_limits<double>::infinity() : DurationHistogram::upper_seconds(i)});
  }
  histogram.sample_sum = static_cast<double>(durations_seen.sum_ns()) * 1e-9;
  return histogram;
}

MetricFamily family_of(const Duration& duration, std::span<const Stats* const> shards) {
  MetricFamily family{duration.name, duration.help, MetricType::Histogram, {}};
  for (std::size_t i = 0; i < shards.size(); ++i) {
    ClientMetric metric = labelled(i);
    metric.histogram = histogram_of(shards[i]->*duration.member);
    family.metric.push_back(std::move(metric));
  }
  return family;
}

MetricFamily awake_family(const agent_runtime::AwakeCounts& counts) {
  MetricFamily family{"ringroom_rooms_awake",
                      "Rooms that a reason keeps awake now; one may have several.",
                      MetricType::Gauge,
                      {}};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    ClientMetric metric;
    metric.label.push_back({"reason", std::string(agent_runtime::awake_reason_names[i])});
    metric.gauge.value = static_cast<double>(counts[i]);
    family.metric.push_back(std::move(metric));
  }
  return family;
}

MetricFamily build_family() {
  MetricFamily family{
      "ringroom_build_info", "Always 1; the version is its label.", MetricType::Gauge, {}};
  ClientMetric metric;
  metric.label.push_back({"version", RINGROOM_VERSION});
  metric.gauge.value = 1;
  family.metric.push_back(std::move(metric));
  return family;
}

}  // namespace

std::string metrics_text(std::span<const Stats* const> shards,
                         const agent_runtime::AwakeCounts& awake) {
  std::vector<MetricFamily> families;
  for (const Number& number : numbers) families.push_back(family_of(number, shards));
  for (const Duration& duration : durations) families.push_back(family_of(duration, shards));
  families.push_back(awake_family(awake));
  families.push_back(build_family());
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace ringroom::server
