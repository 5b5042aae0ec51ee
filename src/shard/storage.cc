// The end of a turn for what was written in it: one commit for each room, one write of the log for
// all of them, carried out by the ring, and the frames that waited for the write before.
#include "shard/shard.h"

#include <algorithm>
#include <cerrno>
#include <utility>

namespace ringroom::shard {

using reactor::Op;
using reactor::Tag;

// Before the flush, so that what need not wait leaves with this turn.
void Shard::commit_writes() {
  store_.read_answers();
  if (runtime_.has_turn()) commit_turn();
  if (batch_began_ns_ == 0 && store_.has_batch()) batch_began_ns_ = turn_began_ns_;
  if (const auto write = store_.next_write()) {
    write_began_ns_ = std::exchange(batch_began_ns_, 0);
    log_write_bytes_ = write->bytes.size();
    ring_->write_durably(write->descriptor, write->bytes, write->offset, Tag::of(Op::log_write, 0));
  }
  while (const auto file = store_.next_open()) {
    ring_->open_file(file->path, Tag::of(Op::open_file, file->id));
  }
  if (!store_.has_batch()) batch_began_ns_ = 0;
  const std::optional<std::uint64_t> lost = store_.take_failed();
  runtime_.open_gates(lost);
  tell_readings(lost);
}

// The turns to come reckon with what a commit took in the last ones.
void Shard::commit_turn() {
  const std::uint64_t rooms = std::max<std::size_t>(store_.rooms_in_turn(), 1);
  const std::uint64_t began = ring_->now_ns();
  runtime_.commit_turn();
  commit_ns_ = (3 * commit_ns_ + (ring_->now_ns() - began) / rooms) / 4;
}

void Shard::on_log_write(const Completion& completion) {
  const bool whole = completion.result == static_cast<std::int64_t>(log_write_bytes_);
  store_.written(whole ? 0 : completion.result < 0 ? -completion.result : EIO);
  if (whole) lane_.stats.gate_wait.add(ring_->now_ns() - write_began_ns_);
}

void Shard::on_file_open(const Completion& completion) {
  store_.opened(completion.tag.slot(), completion.result,
                [this](const std::string& name) { runtime_.file_opened(name); });
}

void Shard::publish_storage() {
  Stats& stats = lane_.stats;
  const store::StoreCounts& counts = store_.counts();
  stats.databases_open.set(store_.open_databases());
  stats.databases_opened_total.set(counts.databases_opened);
  stats.storage_commits_total.set(counts.commits);
  stats.storage_log_writes_total.set(counts.log_writes);
  stats.storage_log_bytes_total.set(counts.log_bytes);
  stats.storage_segments_waiting.set(store_.segments_waiting());
  stats.storage_segments_written_back_total.set(counts.written_back);
  stats.storage_failures_total.set(counts.failures);
}

// The helper has done something, which commit_writes() looks at.
void Shard::await_helper() {
  if (store_.event() < 0) return;
  ring_->read_event(store_.event(), &helper_counter_, Tag::of(Op::event, helper_event));
}

}  // namespace ringroom::shard
