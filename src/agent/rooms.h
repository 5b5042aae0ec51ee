// Rooms: the hosts of one shard, by the index that records carry and by class and name. Owned by
// the Runtime. Costs 12 bytes a room beside the host, and adding one never rehashes the others:
// linear hashing (Litwin 1980) splits one bucket for each new room.
#pragma once

#include "agent/host.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace ringroom::agent_runtime {

class Rooms {
 public:
  std::size_t size() const { return buckets_.size(); }
  detail::Host& operator[](std::uint32_t room) const { return *hosts_[room]; }
  bool exists(std::uint32_t room) const { return room < hosts_.size() && hosts_[room] != nullptr; }
  /// Null if there is none.
  detail::Host* find(const detail::AgentClassInfo& info, std::string_view name) const;
  detail::Host& add(std::unique_ptr<detail::Host> host);
  std::unique_ptr<detail::Host> take(detail::Host& host);

  template <typename Visit>
  void for_each(Visit visit) const {
    for (const auto& host : hosts_) {
      if (host != nullptr) visit(*host);
    }
  }

 private:
  std::size_t bucket_of(const detail::AgentClassInfo& info, std::string_view name) const;
  void link(std::uint32_t room);
  std::uint32_t unlink_all(std::size_t bucket);
  void link_all(std::uint32_t first);

  std::vector<std::unique_ptr<detail::Host>> hosts_;  // by room index
  std::vector<std::uint32_t> buckets_;                // their first rooms; as many as rooms
};

}  // namespace ringroom::agent_runtime
