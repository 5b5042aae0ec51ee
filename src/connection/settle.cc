// The end of a turn's sends. They run inside the submit and say nothing when all was taken, so the
// first reap behind it tells about every one that wasn't; then the turn's memory is free again.
#include "base/assert.h"
#include "connection/hub.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ringroom::connection {

using reactor::Completion;
using reactor::Op;
using reactor::Tag;

void Hub::flush() {
  for (const std::uint32_t room : dirty_groups_) flush_group(room);
  for (const SlotRef ref : dirty_) flush_connection(ref);
  if (flushed_.empty()) {
    flushed_.swap(dirty_);
  } else {
    flushed_.insert(flushed_.end(), dirty_.begin(), dirty_.end());
    dirty_.clear();
  }
  flushed_groups_.insert(flushed_groups_.end(), dirty_groups_.begin(), dirty_groups_.end());
  dirty_groups_.clear();
}

void Hub::flush_connection(SlotRef ref) {
  Record* record = slab_.find(ref.slot, ref.generation);
  if (record == nullptr || !record->has(flag::dirty)) return;
  record->clear(flag::dirty);
  Active* active = this->active(*record);
  if (active == nullptr || active->segments.empty()) return;
  if (record->room != none && is_gated(*groups_[record->room])) [[unlikely]]
    return hold(ref.slot, *record, *active);
  send_segments(ref, *record, *active);
}

void Hub::send_segments(SlotRef ref, const Record& record, Active& active) {
  const std::span<const Segment> segments = active.segments.all();
  const Tag tag = Tag::of(Op::send, ref.slot, ref.generation);
  counts_.bytes_sent += active.segments.bytes();
  if (record.room != none) groups_[record.room]->bytes_sent += active.segments.bytes();
  if (segments.size() == 1) {
    ring_.send(ref.slot, {segments[0].data, segments[0].bytes}, tag);
    return;
  }
  // IOV_MAX pieces fit one message (sendmsg(2)); more of them are laid behind each other.
  constexpr std::size_t pieces_max = 1024;
  if (segments.size() > pieces_max) {
    std::byte* whole = arena_.take(active.segments.bytes());
    std::byte* end = whole;
    for (const Segment& segment : segments) {
      std::memcpy(end, segment.data, segment.bytes);
      end += segment.bytes;
    }
    active.segments.clear();
    active.segments.append(whole, static_cast<std::size_t>(end - whole));
    ring_.send(ref.slot, {whole, end}, tag);
    return;
  }
  pieces_.clear();
  for (const Segment& segment : segments) {
    pieces_.push_back({const_cast<std::byte*>(segment.data), segment.bytes});
  }
  ring_.send_gathered(ref.slot, pieces_, tag);
}

void Hub::settle(std::size_t first_completion) {
  for (std::size_t i = first_completion; i < completions_.size(); ++i) {
    if (completions_[i].tag.op() == Op::send) keep_unsent(completions_[i]);
  }
  for (const SlotRef ref : flushed_) {
    Record* record = slab_.find(ref.slot, ref.generation);
    if (record == nullptr) continue;
    if (Active* active = this->active(*record)) {
      active->segments.clear();
      release_if_quiet(*record);
    }
  }
  flushed_.clear();
  for (const std::uint32_t room : flushed_groups_) {
    end_log(*groups_[room]);
  }
  flushed_groups_.clear();
  ASSERT(dirty_.empty() && dirty_groups_.empty());
  ++turn_;
  arena_.reset();
  for (const std::uint16_t buffer : held_buffers_) ring_.release(buffer);
  held_buffers_.clear();
  delivery.held = false;
  finish_is_fresh_ = false;
  if (!finishing_.empty()) settle_finishing();
}

void Hub::flush_now() {
  flush();
  ring_.submit();
  const std::size_t first = completions_.size();
  ring_.reap(completions_);
  settle(first);
}

// A send that wasn't taken whole: the rest is copied and waits in the kernel.
void Hub::keep_unsent(const Completion& completion) {
  const std::uint32_t slot = completion.tag.slot();
  Record* record = slab_.find(slot, completion.tag.generation());
  if (record == nullptr) return;
  if (completion.result < 0 && completion.result != -EAGAIN) {
    failed_.push_back({slot, record->generation});
    return;
  }
  auto taken = static_cast<std::size_t>(std::max(completion.result, 0));
  Active& active = activate(*record);
  std::vector<std::byte>& rest = active.backlog.rest;
  ASSERT(rest.empty() && !active.backlog.in_flight);
  const auto keep = [&](const std::byte* data, std::size_t bytes) {
    const std::size_t skipped = std::min(taken, bytes);
    taken -= skipped;
    rest.insert(rest.end(), data + skipped, data + bytes);
  };
  if (active.segments.empty()) {
    Group& group = *groups_[record->room];
    const std::uint32_t start = log_start(group.members[record->member]);
    const Broadcasts& sent = broadcasts(group);
    keep(sent.log + start, sent.log_bytes - start);
  } else {
    for (const Segment& segment : active.segments.all()) keep(segment.data, segment.bytes);
  }
  if (rest.empty()) return release_if_quiet(*record);
  note_slow(*record, slot);
  send_backlog(slot, *record, active);
}

void Hub::send_backlog(std::uint32_t slot, Record& record, Active& active) {
  Backlog& backlog = active.backlog;
  backlog.in_flight = true;
  ring_.send_rest(slot, std::span<const std::byte>(backlog.rest).subspan(backlog.rest_taken),
                  Tag::of(Op::send_rest, slot, record.generation));
}

void Hub::on_rest_sent(const Completion& completion) {
  const std::uint32_t slot = completion.tag.slot();
  Record* record = slab_.find(slot, completion.tag.generation());
  if (record == nullptr || record->stage == Stage::shutting) {
    std::erase_if(orphans_, [&](const Orphan& orphan) {
      return orphan.was.slot == slot && orphan.was.generation == completion.tag.generation();
    });
    return;
  }
  Active& active = activate(*record);
  Backlog& backlog = active.backlog;
  ASSERT(backlog.in_flight);
  backlog.in_flight = false;
  if (completion.result < 0) {
    backlog = {};
    failed_.push_back({slot, record->generation});
    return;
  }
  backlog.rest_taken += static_cast<std::size_t>(completion.result);
  on_backlog_sent(slot, *record, active);
}

void Hub::on_backlog_sent(std::uint32_t slot, Record& record, Active& active) {
  Backlog& backlog = active.backlog;
  if (backlog.rest_taken < backlog.rest.size()) return send_backlog(slot, record, active);
  backlog.rest = std::exchange(backlog.waiting, {});
  backlog.rest_taken = 0;
  if (!backlog.rest.empty()) return send_backlog(slot, record, active);
  forget_slow(record, slot);
  if (record.has(flag::was_full)) drained_.push_back({slot, record.generation});
  if (record.stage == Stage::finishing) return settle_finishing();
  release_if_quiet(record);
}

void Hub::note_slow(const Record& record, std::uint32_t slot) {
  if (record.room != none) broadcasts(*groups_[record.room]).slow.push_back(slot);
}

void Hub::forget_slow(const Record& record, std::uint32_t slot) {
  if (record.room == none) return;
  Group& group = *groups_[record.room];
  if (!has_slow(group)) return;
  std::vector<std::uint32_t>& slow = broadcasts(group).slow;
  std::erase(slow, slot);
  if (!slow.empty()) return;
  std::vector<std::uint32_t>().swap(slow);
  release_broadcasts_if_quiet(group);
}

}  // namespace ringroom::connection
