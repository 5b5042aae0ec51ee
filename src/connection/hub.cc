#include "connection/hub.h"

#include "base/assert.h"

#include <algorithm>
#include <cstring>

namespace ringroom::connection {

using detail::ConnectionAccess;

Hub::Hub(reactor::Ring& ring,
         std::vector<reactor::Completion>& completions,
         base::TimerHeap& timers,
         const HubOptions& options)
    : ring_(ring),
      completions_(completions),
      timers_(timers),
      options_(options),
      slab_(ring.files_max()) {}

Hub::~Hub() = default;

void Hub::release_active(Record& record) {
  actives_.give_back(record.active);
  record.active = none;
}

void Hub::park(std::uint32_t slot, Record& record) {
  record.set(flag::receiving | flag::parked);
  record.seal = checksum(record);
  ++counts_.connections_parked;
  ring_.poll(slot, receive_tag(slot, record));
}

void Hub::unpark(Record& record) {
  record.clear(flag::receiving | flag::cancelling | flag::parked);
  record.seal = 0;
  --counts_.connections_parked;
}

reactor::Tag Hub::receive_tag(std::uint32_t slot, const Record& record) {
  reactor::Op op = reactor::Op::receive;
  if (record.has(flag::parked)) op = reactor::Op::poll;
  if (record.has(flag::receiving_once)) op = reactor::Op::receive_once;
  return reactor::Tag::of(op, slot, record.generation);
}

void Hub::set_deadline(std::uint32_t slot, Deadline about, std::uint64_t at_ns) {
  Record& record = slab_[slot];
  base::Timer& timer = activate(record).timer;
  timer.kind = static_cast<std::uint8_t>(about);
  timer.owner = slot;
  timers_.set(timer, at_ns);
}

void Hub::clear_deadline(Record& record) {
  if (Active* active = this->active(record)) timers_.cancel(active->timer);
}

bool Hub::set_blob(Record& record, std::uint32_t Record::*blob, std::span<const std::byte> bytes) {
  const std::uint32_t made = blobs_.allocate(bytes.size());
  if (made == BlobStore::none) return false;
  if (!bytes.empty()) std::memcpy(blobs_.bytes(made).data(), bytes.data(), bytes.size());
  // The old bytes go last, so that no sealed record ever names a cell that is free.
  const std::uint32_t old = std::exchange(record.*blob, made);
  renew_seal(record);
  if (old != none) blobs_.free(old);
  return true;
}

void Hub::renew_seal(Record& record) {
  if (record.has(flag::parked)) record.seal = checksum(record);
}

std::span<const std::byte> Hub::blob(const Record& record, std::uint32_t Record::*which) {
  if (record.*which == none) return {};
  return blobs_.bytes(record.*which);
}

std::uint32_t Hub::add_group(Group& group) {
  if (free_groups_.empty()) {
    groups_.push_back(&group);
    return static_cast<std::uint32_t>(groups_.size() - 1);
  }
  const std::uint32_t room = free_groups_.back();
  free_groups_.pop_back();
  groups_[room] = &group;
  return room;
}

void Hub::remove_group(std::uint32_t room) {
  ASSERT(groups_[room]->members.empty());
  end_log(*groups_[room]);
  groups_[room] = nullptr;
  std::erase(dirty_groups_, room);
  std::erase(flushed_groups_, room);
  free_groups_.push_back(room);
}

void Hub::join(std::uint32_t room, std::uint32_t slot, detail::Host* host) {
  Group& group = *groups_[room];
  Record& record = slab_[slot];
  record.room = room;
  record.member = static_cast<std::uint32_t>(group.members.size());
  group.members.emplace_back(host, slot, record.generation);
  Connection& member = group.members.back();
  ConnectionAccess::joined(member) = ++joined_;
  ConnectionAccess::log_turn(member) = turn_;
  ConnectionAccess::log_cursor(member) = log_bytes(group);
}

void Hub::accept(Record& record) {
  ASSERT(record.stage == Stage::http && record.room != none);
  record.stage = Stage::open;
  ++groups_[record.room]->open;
}

std::uint32_t Hub::leave(Record& record) {
  Group& group = *groups_[record.room];
  const std::uint32_t hole = record.member;
  Member& leaver = group.members[hole];
  ASSERT(record.stage != Stage::open);
  if (is_gated(group)) hold(ConnectionAccess::slot(leaver), record, activate(record));
  forget_slow(record, ConnectionAccess::slot(leaver));
  const auto last = static_cast<std::uint32_t>(group.members.size() - 1);
  if (hole != last) {
    leaver = std::move(group.members[last]);
    slab_[ConnectionAccess::slot(leaver)].member = hole;
  }
  group.members.pop_back();
  if (group.members.empty()) std::vector<Member>().swap(group.members);
  record.room = none;
  record.member = none;
  return last;
}

std::size_t Hub::buffered_bytes(const Record& record) {
  std::size_t bytes = 0;
  if (const Active* active = this->active(record)) {
    bytes = active->segments.bytes() + active->backlog.bytes();
  }
  if (record.room != none && record.stage == Stage::open) {
    Group& group = *groups_[record.room];
    bytes += log_bytes(group) - log_start(group.members[record.member]);
  }
  return bytes;
}

bool Hub::at_rest() const {
  return dirty_.empty() && dirty_groups_.empty() && flushed_.empty() && flushed_groups_.empty() &&
         held_buffers_.empty() && held_.empty() && releasing_.empty() && orphans_.empty() &&
         finishing_.empty();
}

}  // namespace ringroom::connection
