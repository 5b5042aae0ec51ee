#include "connection/details.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace ringroom::connection {

namespace {

constexpr std::string_view scheme = "http://";

// Numbers in 7 bits a byte, the last byte below 128 (LEB128).
constexpr unsigned number_bits = 7;
constexpr std::uint32_t number_more = 1U << number_bits;

std::size_t number_bytes(std::size_t number) {
  std::size_t bytes = 1;
  while ((number >>= number_bits) > 0) ++bytes;
  return bytes;
}

std::uint32_t read_number(const std::byte*& at) {
  std::uint32_t number = 0;
  for (unsigned shift = 0;; shift += number_bits) {
    const auto byte = std::to_integer<std::uint32_t>(*at++);
    number |= (byte & (number_more - 1)) << shift;
    if (byte < number_more) return number;
  }
}

std::string_view text_at(const std::byte* at, std::size_t bytes) {
  return {reinterpret_cast<const char*>(at), bytes};
}

class Writer {
 public:
  explicit Writer(std::byte* at) : at_(at) {}
  void put(std::string_view text) {
    if (!text.empty()) std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  void put(std::size_t number) {
    for (; number >= number_more; number >>= number_bits) {
      *at_++ = static_cast<std::byte>(number | number_more);
    }
    *at_++ = static_cast<std::byte>(number);
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
  const std::uint16_t host = hosts.intern(details.host);
  std::string complete;
  std::string_view target = details.target;
  if (host == HostNames::unknown) {
    complete = std::string(scheme) + std::string(details.host) + std::string(details.target);
    target = complete;
  }
  const std::size_t found = details.id.empty() ? std::string_view::npos : target.find(details.id);
  const bool apart = found == std::string_view::npos;
  const std::array<std::size_t, 5> head = {host == HostNames::unknown ? 0 : host + std::size_t{1},
                                           target.size(), apart ? 0 : found + 1, details.id.size(),
                                           details.more_tags.size()};
  std::size_t bytes = target.size() + (apart ? details.id.size() : 0);
  for (const std::size_t number : head) bytes += number_bytes(number);
  for (const std::string& tag : details.more_tags) bytes += number_bytes(tag.size()) + tag.size();

  const BlobStore::Handle handle = blobs.allocate(bytes);
  if (handle == BlobStore::none) return std::nullopt;
  Writer writer(blobs.bytes(handle).data());
  for (const std::size_t number : head) writer.put(number);
  writer.put(target);
  if (apart) writer.put(details.id);
  for (const std::string& tag : details.more_tags) {
    writer.put(tag.size());
    writer.put(tag);
  }
  return handle;
}

Details::Details(BlobStore& blobs, BlobStore::Handle handle) {
  const std::byte* at = blobs.bytes(handle).data();
  for (std::uint32_t* number : {&host_, &target_bytes_, &id_place_, &id_bytes_, &more_tags_}) {
    *number = read_number(at);
  }
  text_ = at;
}

std::string_view Details::id() const {
  return text_at(text_ + (id_place_ == 0 ? target_bytes_ : id_place_ - 1), id_bytes_);
}

std::string_view Details::host(const HostNames& hosts) const {
  return host_ == 0 ? std::string_view{} : hosts[static_cast<std::uint16_t>(host_ - 1)];
}

std::string_view Details::target() const {
  return text_at(text_, target_bytes_);
}

std::size_t Details::tags() const {
  return 1 + std::size_t{more_tags_};
}

std::string_view Details::tag(std::size_t index) const {
  if (index == 0) return id();
  const std::byte* at = text_ + target_bytes_ + (id_place_ == 0 ? id_bytes_ : 0);
  for (;; --index) {
    const std::uint32_t length = read_number(at);
    if (index == 1) return text_at(at, length);
    at += length;
  }
}

bool Details::has_tag(std::string_view wanted) const {
  for (std::size_t i = 0; i < tags(); ++i) {
    if (tag(i) == wanted) return true;
  }
  return false;
}

}  // namespace ringroom::connection
