#include "connection/details.h"

#include <algorithm>
#include <cstring>

namespace ringroom::connection {

namespace {

constexpr std::string_view scheme = "http://";

class Writer {
 public:
  explicit Writer(std::byte* at) : at_(at) {}
  void put(const void* bytes, std::size_t count) {
    if (count > 0) std::memcpy(at_, bytes, count);
    at_ += count;
  }
  void put(std::string_view text) { put(text.data(), text.size()); }
  void put_length(std::size_t length) {
    const auto number = static_cast<std::uint16_t>(length);
    put(&number, sizeof(number));
  }

 private:
  std::byte* at_;
};

}  // namespace

std::uint16_t HostNames::intern(std::string_view name) {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found != names_.end()) return static_cast<std::uint16_t>(found - names_.begin());
  if (names_.size() == names_max) return unknown;
  names_.emplace_back(name);
  return static_cast<std::uint16_t>(names_.size() - 1);
}

std::optional<BlobStore::Handle> write_details(BlobStore& blobs,
                                               HostNames& hosts,
                                               const NewDetails& details) {
  Details::Head head{};
  head.host = hosts.intern(details.host);
  std::string complete;
  std::string_view target = details.target;
  if (head.host == HostNames::unknown) {
    complete = std::string(scheme) + std::string(details.host) + std::string(details.target);
    target = complete;
  }
  const std::size_t found = details.id.empty() ? std::string_view::npos : target.find(details.id);
  const bool apart = found == std::string_view::npos;
  head.target_bytes = static_cast<std::uint16_t>(target.size());
  head.id_offset = apart ? Details::id_apart : static_cast<std::uint16_t>(found);
  head.id_bytes = static_cast<std::uint16_t>(details.id.size());
  head.more_tags = static_cast<std::uint16_t>(details.more_tags.size());
  std::size_t bytes = sizeof(head) + target.size() + (apart ? details.id.size() : 0);
  for (const std::string& tag : details.more_tags) bytes += 2 + tag.size();

  const BlobStore::Handle handle = blobs.allocate(bytes);
  if (handle == BlobStore::none) return std::nullopt;
  Writer writer(blobs.bytes(handle).data());
  writer.put(&head, sizeof(head));
  writer.put(target);
  if (apart) writer.put(details.id);
  for (const std::string& tag : details.more_tags) {
    writer.put_length(tag.size());
    writer.put(tag);
  }
  return handle;
}

Details::Details(BlobStore& blobs, BlobStore::Handle handle) {
  const std::byte* at = blobs.bytes(handle).data();
  std::memcpy(&head_, at, sizeof(head_));
  text_ = reinterpret_cast<const char*>(at + sizeof(head_));
}

std::string_view Details::id() const {
  if (head_.id_offset == id_apart) return {text_ + head_.target_bytes, head_.id_bytes};
  return {text_ + head_.id_offset, head_.id_bytes};
}

std::string_view Details::host(const HostNames& hosts) const {
  return head_.host == HostNames::unknown ? std::string_view{} : hosts[head_.host];
}

std::string_view Details::target() const {
  return {text_, head_.target_bytes};
}

std::size_t Details::tags() const {
  return 1 + std::size_t{head_.more_tags};
}

std::string_view Details::tag(std::size_t index) const {
  if (index == 0) return id();
  const char* at = text_ + head_.target_bytes + (head_.id_offset == id_apart ? head_.id_bytes : 0);
  for (;; --index) {
    std::uint16_t length = 0;
    std::memcpy(&length, at, sizeof(length));
    if (index == 1) return {at + sizeof(length), length};
    at += sizeof(length) + length;
  }
}

bool Details::has_tag(std::string_view wanted) const {
  for (std::size_t i = 0; i < tags(); ++i) {
    if (tag(i) == wanted) return true;
  }
  return false;
}

}  // namespace ringroom::connection
