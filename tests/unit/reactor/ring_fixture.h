// What the tests of the kernel's ring share: rings with all features or none, sockets of loopback,
// and waiting for a completion by its tag. One thread.
#pragma once

#include "reactor/ring.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ringroom::reactor {

/// A descriptor of the process.
class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~Socket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int get() const { return descriptor_; }

  void write(std::string_view text) const {
    ASSERT_EQ(::send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }
  /// What is there; waits for at least a byte. "" at the end of the stream.
  std::string read() const {
    std::string text(65'536, '\0');
    const ssize_t count = ::recv(descriptor_, text.data(), text.size(), 0);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    return text;
  }
  std::string read(std::size_t bytes) const {
    std::string text;
    while (text.size() < bytes) {
      const std::string more = read();
      if (more.empty()) break;
      text += more;
    }
    return text;
  }

 private:
  int descriptor_;
};

inline std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

/// A ring whose completions can be asked for in any order.
class TestRing {
 public:
  static constexpr std::uint64_t patience_ns = 20'000'000'000;

  explicit TestRing(RingOptions options) {
    RingFailure failure;
    ring_ = Ring::make(options, failure);
    if (ring_ == nullptr) throw std::runtime_error(failure.message);
  }
  Ring* operator->() { return ring_.get(); }
  Ring& operator*() { return *ring_; }

  /// The next completion with the tag, in the order of the kernel. Others are kept.
  Completion wait_for(Tag tag) {
    const std::uint64_t deadline = ring_->now_ns() + patience_ns;
    for (;;) {
      if (const auto found = take(tag)) return *found;
      if (ring_->now_ns() >= deadline) throw std::runtime_error("no completion came");
      ring_->submit_and_wait(deadline);
      reap();
    }
  }
  /// The next one with the tag if it is there already, after what is queued was handed over.
  std::optional<Completion> poll_for(Tag tag) {
    ring_->submit_and_wait(0);
    reap();
    return take(tag);
  }
  void reap() {
    std::vector<Completion> batch;
    ring_->reap(batch);
    kept_.insert(kept_.end(), batch.begin(), batch.end());
  }
  std::size_t kept() const { return kept_.size(); }

  /// Receives so many bytes by an armed receive, giving buffers back.
  std::string receive(Tag tag, std::size_t bytes) {
    std::string text;
    while (text.size() < bytes) {
      const Completion completion = wait_for(tag);
      if (completion.result <= 0) break;
      text.append(reinterpret_cast<const char*>(completion.data), completion.bytes().size());
      ring_->release(completion.buffer);
    }
    return text;
  }

 private:
  std::optional<Completion> take(Tag tag) {
    const auto found = std::find_if(kept_.begin(), kept_.end(), [tag](const Completion& one) {
      return one.tag.bits == tag.bits;
    });
    if (found == kept_.end()) return std::nullopt;
    const Completion completion = *found;
    kept_.erase(found);
    return completion;
  }

  std::unique_ptr<Ring> ring_;
  std::deque<Completion> kept_;
};

/// Each test with all features that the kernel has, and with none.
class RingFixture : public testing::TestWithParam<bool> {
 protected:
  static RingOptions options() {
    RingOptions options;
    options.files_max = 64;
    options.submissions_max = 64;
    options.completions_max = 1024;
    if (!GetParam()) options.features_allowed.emplace();
    return options;
  }

  explicit RingFixture(const RingOptions& made = options())
      : ring_(made), listener_(listen_on_loopback()) {}

  static Socket listen_on_loopback() {
    Socket listener(::socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    EXPECT_EQ(::listen(listener.get(), 64), 0);
    return listener;
  }
  Socket connect() const {
    sockaddr_in address{};
    socklen_t bytes = sizeof(address);
    getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &bytes);
    Socket client(::socket(AF_INET, SOCK_STREAM, 0));
    EXPECT_EQ(::connect(client.get(), reinterpret_cast<sockaddr*>(&address), bytes), 0);
    return client;
  }
  /// A client and its file on the ring.
  std::uint32_t accept_one(Socket& client) {
    if (!accepting_) ring_->accept(listener_.get(), accept_tag);
    accepting_ = true;
    client = connect();
    const Completion accepted = ring_.wait_for(accept_tag);
    EXPECT_GE(accepted.result, 0);
    EXPECT_TRUE(accepted.more);
    return static_cast<std::uint32_t>(accepted.result);
  }

  static constexpr Tag accept_tag = Tag::of(Op::accept, 0);
  static constexpr Tag receive_tag = Tag::of(Op::receive, 1, 7);
  static constexpr Tag send_tag = Tag::of(Op::send, 1, 7);
  static constexpr Tag rest_tag = Tag::of(Op::send_rest, 1, 7);
  static constexpr Tag close_tag = Tag::of(Op::close, 1, 7);

  TestRing ring_;
  Socket listener_;
  Socket client_{-1};
  bool accepting_ = false;
};

}  // namespace ringroom::reactor
