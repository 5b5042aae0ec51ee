// Sockets that come: accepted here, or handed over by the shard that accepted them, once and before
// the 101. A socket is paid for in its home's table before it moves.
#include "base/assert.h"
#include "base/log.h"
#include "codec/ws/deflate_negotiation.h"
#include "shard/shard.h"

#include <cerrno>
#include <cstring>

namespace ringroom::shard {

using connection::Deadline;
using connection::Record;
using connection::Stage;
using reactor::Op;
using reactor::Tag;

namespace {

// So many may wait at a listener (its backlog) and be accepted in one go.
constexpr std::uint32_t burst_max = 4096;

std::uint64_t ns(std::chrono::nanoseconds duration) {
  return static_cast<std::uint64_t>(duration.count());
}

}  // namespace

void Shard::arm_accepts() {
  if (stopping_ || accepts_paused_) return;
  const int listeners[2] = {lane_.listener, lane_.admin_listener};
  for (std::uint32_t which = 0; which < 2; ++which) {
    if (listeners[which] < 0 || accepting_[which]) continue;
    const Tag tag = Tag::of(Op::accept, which);
    if (accepts_singly_) {
      ring_->accept_once(listeners[which], tag);
    } else {
      ring_->accept(listeners[which], tag);
    }
    accepting_[which] = true;
  }
}

// Accepts one by one when a burst might not fit any more, and none when the table is full.
void Shard::mind_the_table() {
  const std::uint32_t used = lane_.files_used.load(std::memory_order_relaxed);
  const std::uint32_t wanted = used + files_reserve(lane_.files_max);
  const bool singly = wanted + burst_max >= lane_.files_max;
  const bool paused = wanted >= lane_.files_max;
  if (paused && !accepts_paused_) {
    accepts_paused_ = true;
    base::log_warn("shard " + std::to_string(index_) + ": its table of " +
                   std::to_string(lane_.files_max) +
                   " descriptors is full; new connections wait until others close");
  } else if (singly == accepts_singly_) {
    return;
  }
  accepts_singly_ = singly;
  for (std::uint32_t which = 0; which < 2; ++which) {
    if (accepting_[which]) ring_->cancel(Tag::of(Op::accept, which));
  }
}

void Shard::on_accept(const Completion& completion) {
  const std::uint32_t which = completion.tag.slot();
  if (!completion.more) accepting_[which] = false;
  if (completion.result >= 0) {
    const auto slot = static_cast<std::uint32_t>(completion.result);
    lane_.files_used.fetch_add(1, std::memory_order_relaxed);
    ++connections_total_;
    Record& record = hub_.open(slot, Stage::http);
    if (stopping_) return hub_.close_file(slot);
    hub_.activate(record).session = sessions_.make(
        codec::http::RequestReaderOptions{.body_bytes_max = config_.body_bytes_max}, which == 1);
    hub_.set_deadline(slot, Deadline::handshake, turn_began_ns_ + ns(config_.handshake_timeout));
    arm(slot, record);
    mind_the_table();
  } else if (completion.result != -ECANCELED) {
    base::log_warn("shard " + std::to_string(index_) +
                   ": a connection couldn't be accepted: " + std::strerror(-completion.result));
  }
  arm_accepts();
}

bool Shard::reserve_file(unsigned shard) {
  Lane& lane = fleet_.lane(shard);
  const std::uint32_t used = lane.files_used.fetch_add(1, std::memory_order_relaxed);
  if (used + files_reserve(lane.files_max) < lane.files_max) return true;
  lane.files_used.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

void Shard::release_file() {
  const std::uint32_t used = lane_.files_used.fetch_sub(1, std::memory_order_relaxed) - 1;
  // Not at once, so that a full shard doesn't stop and start with every connection.
  const std::uint32_t slack = lane_.files_max / 64;
  if (accepts_paused_ && used + files_reserve(lane_.files_max) + slack < lane_.files_max) {
    accepts_paused_ = false;
    arm_accepts();
  }
  if (accepts_singly_) mind_the_table();
}

void Shard::on_close(const Completion& completion) {
  hub_.on_file_closed(completion);
  release_file();
}

void Shard::hand_over(std::uint32_t slot, unsigned home, std::unique_ptr<Arrival> arrival) {
  Record& record = hub_.slab()[slot];
  end_session(slot);
  record.stage = Stage::leaving;
  Arrival* const address = arrival.release();  // the home's as soon as the completion is there
  moving_.emplace_back(slot, address);
  ring_->move_file(slot, fleet_.lane(home).ring_descriptor,
                   Tag::with_payload(Op::arrival, reinterpret_cast<std::uintptr_t>(address)),
                   Tag::of(Op::move, slot, record.generation));
}

void Shard::on_moved(const Completion& completion) {
  const std::uint32_t slot = completion.tag.slot();
  const auto found = std::find_if(moving_.begin(), moving_.end(),
                                  [slot](const auto& moving) { return moving.first == slot; });
  ASSERT(found != moving_.end());
  std::unique_ptr<Arrival> arrival(found->second);
  moving_.erase(found);
  Record& record = hub_.slab()[slot];
  ASSERT(record.stage == Stage::leaving && record.generation == completion.tag.generation());
  if (completion.result >= 0) {
    static_cast<void>(arrival.release());  // gone with the socket
    ++handovers_;
    return hub_.close_file(slot);
  }
  fleet_.lane(arrival->home).files_used.fetch_sub(1, std::memory_order_relaxed);
  record.stage = Stage::http;
  refuse(slot, Response::text(503, "the room's shard can't take the connection"));
}

void Shard::take_arrival(std::uint32_t file, std::unique_ptr<Arrival> arrival) {
  hub_.open(file, Stage::http);
  ++connections_total_;
  if (stopping_) return hub_.close_file(file);
  admit(file, std::move(arrival));
}

// On the home. Nothing is read meanwhile if the room's file has to be opened first.
void Shard::admit(std::uint32_t slot, std::unique_ptr<Arrival> arrival) {
  detail::Host& host = runtime_.find_or_make(*arrival->info, arrival->room);
  if (!host.must_wait()) return let_in(slot, host, *arrival);
  const std::uint64_t number = next_at_the_door_++;
  at_the_door_.emplace(number, std::move(arrival));
  const std::uint32_t generation = hub_.slab()[slot].generation;
  host.when_ready([this, slot, generation, number](detail::Host& ready) {
    const std::unique_ptr<Arrival> waited = std::move(at_the_door_.extract(number).mapped());
    const Record* record = hub_.find(slot, generation);
    if (record != nullptr && record->stage == Stage::http) let_in(slot, ready, *waited);
  });
}

// The room answers the upgrade.
void Shard::let_in(std::uint32_t slot, detail::Host& host, Arrival& arrival) {
  if (host.group().members.size() >= config_.room_connections_max) {
    return refuse(slot, Response::text(503, "the room is full"));
  }
  agent_runtime::Upgrade upgrade{
      .slot = slot, .request = arrival.request, .switching_protocols = {}};
  upgrade.batch_format = arrival.batching.format;
  std::string extensions;
  if (arrival.info->options.compression && !arrival.extensions.empty()) {
    if (const auto agreed = codec::ws::negotiate(arrival.extensions)) {
      extensions = agreed->header();
      upgrade.deflate = true;
      upgrade.window_bits = static_cast<std::uint8_t>(agreed->server_window_bits());
    }
  }
  std::string switching;
  codec::http::write_switching_protocols(switching, arrival.accept_key,
                                         arrival.batching.subprotocol, extensions);
  upgrade.switching_protocols = switching;
  Record& record = hub_.slab()[slot];
  const std::uint32_t generation = record.generation;
  hub_.clear_deadline(record);
  record.heard_ms = static_cast<std::uint32_t>(turn_began_ns_ / 1'000'000);
  host.connect(upgrade);
  if (!arrival.behind.empty() && record.stage == Stage::open) {
    receive_frames(slot, record, arrival.behind, no_buffer);
  }
  if (hub_.find(slot, generation) == nullptr) return;
  if (record.stage == Stage::open || record.stage == Stage::closing ||
      record.stage == Stage::finishing) {
    arm(slot, record);
  }
}

}  // namespace ringroom::shard
