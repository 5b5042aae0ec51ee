// Details: who a connection is (id, URI, tags), packed into one blob of the slab. The host part of
// URIs is kept once per shard, and an id that stands in the URI isn't stored twice. Written once at
// the upgrade, read by the agent's calls, freed with the connection. On the shard's thread.
#pragma once

#include "connection/blob_store.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ringroom::connection {

/// The hosts that clients named, each kept once. Bounded; those beyond stay in the blob.
class HostNames {
 public:
  static constexpr std::size_t names_max = 256;
  static constexpr std::uint16_t unknown = UINT16_MAX;

  /// The index of a name, or `unknown` when there is no room for one more.
  std::uint16_t intern(std::string_view name);
  std::string_view operator[](std::uint16_t index) const { return names_[index]; }

 private:
  std::vector<std::string> names_;
};

/// What is written; borrowed for the call.
struct NewDetails {
  std::string_view host;    ///< "127.0.0.1:8787"
  std::string_view target;  ///< path and query
  std::string_view id;
  const std::vector<std::string>& more_tags;  ///< without the id
};

/// nullopt if the slab is full.
std::optional<BlobStore::Handle> write_details(BlobStore& blobs,
                                               HostNames& hosts,
                                               const NewDetails& details);

/// Reads a blob in place.
class Details {
 public:
  Details(BlobStore& blobs, BlobStore::Handle handle);

  std::string_view id() const;
  /// "" if the host stands in target() itself, which then is the complete URI.
  std::string_view host(const HostNames& hosts) const;
  std::string_view target() const;
  std::size_t tags() const;  ///< with the id
  /// Tag 0 is the id.
  std::string_view tag(std::size_t index) const;
  bool has_tag(std::string_view wanted) const;

 private:
  // A blob starts with these five numbers, each in as few bytes as it needs.
  std::uint32_t host_;  // 0: unknown; else one more than its index
  std::uint32_t target_bytes_;
  std::uint32_t id_place_;  // 0: apart; else one more than its offset in the target
  std::uint32_t id_bytes_;
  std::uint32_t more_tags_;
  const std::byte* text_;  // behind them: target, id if apart, tags with their lengths
};

}  // namespace ringroom::connection
