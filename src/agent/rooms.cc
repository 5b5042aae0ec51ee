#include "agent/rooms.h"

#include "base/assert.h"

#include <bit>
#include <functional>
#include <utility>

namespace ringroom::agent_runtime {

using connection::none;
using detail::AgentClassInfo;
using detail::Host;

// Of n buckets those from n up aren't there yet; their rooms are still with the bucket that they
// will be split from, whose number has one bit less.
std::size_t Rooms::bucket_of(const AgentClassInfo& info, std::string_view name) const {
  const std::hash<std::string_view> hash;
  const std::size_t mask = std::bit_ceil(buckets_.size()) - 1;
  const std::size_t bucket = (hash(name) ^ hash(info.name)) & mask;
  return bucket < buckets_.size() ? bucket : bucket & (mask >> 1U);
}

Host* Rooms::find(const AgentClassInfo& info, std::string_view name) const {
  if (buckets_.empty()) return nullptr;
  std::uint32_t room = buckets_[bucket_of(info, name)];
  while (room != none) {
    Host& host = *hosts_[room];
    if (&host.info() == &info && host.name() == name) return &host;
    room = host.next_in_bucket();
  }
  return nullptr;
}

Host& Rooms::add(std::unique_ptr<Host> made) {
  Host& host = *made;
  const std::uint32_t room = host.room();
  if (hosts_.size() <= room) hosts_.resize(std::size_t{room} + 1);
  hosts_[room] = std::move(made);
  buckets_.push_back(none);
  // The new bucket takes its part of the one that it is split from.
  if (const std::size_t last = buckets_.size() - 1; last > 0) {
    link_all(unlink_all(last - std::bit_floor(last)));
  }
  link(room);
  return host;
}

std::unique_ptr<Host> Rooms::take(Host& host) {
  std::uint32_t* at = &buckets_[bucket_of(host.info(), host.name())];
  while (*at != host.room()) {
    ASSERT(*at != none);
    at = &hosts_[*at]->next_in_bucket();
  }
  *at = host.next_in_bucket();
  const std::uint32_t orphans = unlink_all(buckets_.size() - 1);
  buckets_.pop_back();
  link_all(orphans);
  return std::move(hosts_[host.room()]);
}

void Rooms::link(std::uint32_t room) {
  Host& host = *hosts_[room];
  std::uint32_t& first = buckets_[bucket_of(host.info(), host.name())];
  host.next_in_bucket() = std::exchange(first, room);
}

std::uint32_t Rooms::unlink_all(std::size_t bucket) {
  return std::exchange(buckets_[bucket], none);
}

void Rooms::link_all(std::uint32_t first) {
  while (first != none) {
    const std::uint32_t room = std::exchange(first, hosts_[first]->next_in_bucket());
    link(room);
  }
}

}  // namespace ringroom::agent_runtime
