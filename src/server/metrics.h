// The numbers of all shards as Prometheus reads them. A function over counters that other threads
// keep writing; any thread.
#pragma once

#include "agent/awake.h"
#include "shard/stats.h"

#include <span>
#include <string>

namespace ringroom::server {

/// Of what metrics_text returns.
inline constexpr const char* metrics_content_type = "text/plain; version=0.0.4; charset=utf-8";

/// Text exposition format 0.0.4; each number with a label for its shard, the index in `shards`, and
/// why agents are awake, of all shards together.
std::string metrics_text(std::span<const shard::Stats* const> shards,
                         const agent_runtime::AwakeCounts& awake);

}  // namespace ringroom::server
