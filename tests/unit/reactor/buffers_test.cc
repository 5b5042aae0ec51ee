// The receive buffers of the kernel's ring: who holds them, and what happens when there is none.
#include "ring_fixture.h"

#include <cerrno>

#include <fcntl.h>

namespace ringroom::reactor {
namespace {

constexpr std::size_t all_bytes = 2 * 1024 * 1024;

class BuffersTest : public RingFixture {
 protected:
  explicit BuffersTest(const RingOptions& made = options())
      : RingFixture(made), file_(accept_one(client_)) {
    fcntl(client_.get(), F_SETFL, fcntl(client_.get(), F_GETFL) | O_NONBLOCK);
  }

  static char pattern(std::size_t at) { return static_cast<char>(at * 31 >> 4); }

  /// Writes as much of the pattern as the socket takes, and so much at the most.
  void pour(std::size_t bytes = 16 * all_bytes) {
    std::string text(65'536, '\0');
    for (std::size_t end = sent_ + bytes; sent_ < end;) {
      for (std::size_t i = 0; i < text.size(); ++i) text[i] = pattern(sent_ + i);
      const ssize_t count = ::send(client_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      sent_ += static_cast<std::size_t>(count);
    }
  }
  /// Receives and keeps every buffer until there is none; the error that then comes.
  Completion exhaust() {
    ring_->receive(file_, receive_tag);
    for (;;) {
      pour();
      const Completion completion = ring_.wait_for(receive_tag);
      if (completion.result < 0) return completion;
      check(completion);
      held_.push_back(completion);
      if (!completion.more) ring_->receive(file_, receive_tag);
    }
  }
  /// Receives what was poured, giving buffers back and arming again after each refill.
  void receive_all() {
    ring_->receive(file_, receive_tag);
    while (received_ < sent_) {
      const Completion completion = ring_.wait_for(receive_tag);
      if (completion.result > 0) {
        check(completion);
        ring_->release(completion.buffer);
      } else {
        ASSERT_EQ(completion.result, -ENOBUFS);
        ASSERT_TRUE(ring_->take_refilled());
      }
      if (!completion.more) ring_->receive(file_, receive_tag);
    }
  }
  void check(const Completion& completion) {
    for (const std::byte byte : completion.bytes()) {
      if (static_cast<char>(byte) != pattern(received_++)) ++wrong_;
    }
  }
  void release_all() {
    for (const Completion& completion : held_) ring_->release(completion.buffer);
    held_.clear();
  }

  std::uint32_t file_;
  std::vector<Completion> held_;
  std::size_t sent_ = 0;
  std::size_t received_ = 0;
  std::size_t wrong_ = 0;
};

TEST_P(BuffersTest, RunOutAndComeBack) {
  const Completion failed = exhaust();
  EXPECT_EQ(failed.result, -ENOBUFS);
  EXPECT_FALSE(failed.more);
  EXPECT_FALSE(failed.has_buffer);
  EXPECT_GT(received_, all_bytes - all_bytes / 16);  // whole buffers may be filled in part
  EXPECT_LE(received_, all_bytes);
  EXPECT_EQ(ring_->buffers_exhausted_total(), 1U);
  EXPECT_FALSE(ring_->take_refilled());

  release_all();
  EXPECT_TRUE(ring_->take_refilled());
  EXPECT_FALSE(ring_->take_refilled());
  receive_all();
  EXPECT_EQ(wrong_, 0U);
}

class FewBuffersTest : public BuffersTest {
 protected:
  static constexpr std::size_t few_bytes = 256 * 1024;
  static RingOptions few() {
    RingOptions made = options();
    made.receive_bytes = few_bytes;
    return made;
  }
  FewBuffersTest() : BuffersTest(few()) {}
};

TEST_P(FewBuffersTest, AreAsManyBytesAsWasAskedWhereTheyAreFilledBitByBit) {
  EXPECT_EQ(exhaust().result, -ENOBUFS);
  const std::size_t most = ring_->features().incremental_buffers ? few_bytes : all_bytes;
  EXPECT_GT(received_, most / 2);
  EXPECT_LE(received_, most);
  release_all();
  EXPECT_TRUE(ring_->take_refilled());
  receive_all();
  EXPECT_EQ(wrong_, 0U);
}

TEST_P(BuffersTest, AreNotRefilledWithoutNeed) {
  ring_->receive(file_, receive_tag);
  for (int i = 0; i < 20; ++i) {
    pour(all_bytes / 4);
    while (received_ < sent_) {
      const Completion completion = ring_.wait_for(receive_tag);
      ASSERT_GT(completion.result, 0);
      check(completion);
      ring_->release(completion.buffer);
      if (!completion.more) ring_->receive(file_, receive_tag);
    }
  }
  EXPECT_GT(received_, all_bytes);
  EXPECT_EQ(wrong_, 0U);
  EXPECT_EQ(ring_->buffers_exhausted_total(), 0U);
  EXPECT_FALSE(ring_->take_refilled());
}

// The kernel finds none, all come back, and only then is the failure read: waiting for the next
// one to come back would be waiting for ever.
TEST_P(BuffersTest, AreRefilledEvenIfTheyCameBackBeforeTheFailureWasRead) {
  EXPECT_EQ(exhaust().result, -ENOBUFS);
  ring_->receive(file_, receive_tag);
  ring_->submit_and_wait(0);
  release_all();
  EXPECT_TRUE(ring_->take_refilled());
  EXPECT_EQ(ring_.wait_for(receive_tag).result, -ENOBUFS);
  EXPECT_TRUE(ring_->take_refilled());
  ring_->receive(file_, receive_tag);
  EXPECT_GT(ring_.wait_for(receive_tag).result, 0);
}

TEST_P(BuffersTest, KeepTheirBytesForASecondUser) {
  ring_->receive(file_, receive_tag);
  pour();
  const Completion kept = ring_.wait_for(receive_tag);
  ASSERT_GT(kept.result, 0);
  const std::string copy(reinterpret_cast<const char*>(kept.data), kept.bytes().size());
  check(kept);
  ring_->hold(kept.buffer);
  ring_->release(kept.buffer);
  while (received_ < 2 * all_bytes) {
    pour(all_bytes / 4);
    const Completion completion = ring_.wait_for(receive_tag);
    if (completion.result > 0) {
      check(completion);
      ring_->release(completion.buffer);
    }
    if (!completion.more) ring_->receive(file_, receive_tag);
  }
  EXPECT_TRUE(std::ranges::equal(kept.bytes(), bytes_of(copy)));
  EXPECT_EQ(wrong_, 0U);
  ring_->release(kept.buffer);
}

TEST_P(BuffersTest, AreSharedByManyConnections) {
  std::vector<Socket> clients;
  for (std::uint32_t i = 0; i < 20; ++i) {
    Socket client(-1);
    ring_->receive(accept_one(client), Tag::of(Op::receive, 100 + i));
    clients.push_back(std::move(client));
  }
  for (std::uint32_t round = 0; round < 200; ++round) {
    for (std::uint32_t i = 0; i < clients.size(); ++i) {
      clients[i].write(std::string(1 + (round * 7 + i) % 900, static_cast<char>('a' + i)));
    }
    for (std::uint32_t i = 0; i < clients.size(); ++i) {
      const std::size_t bytes = 1 + (round * 7 + i) % 900;
      ASSERT_EQ(ring_.receive(Tag::of(Op::receive, 100 + i), bytes),
                std::string(bytes, static_cast<char>('a' + i)));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, FewBuffersTest, testing::Bool(), [](const auto& one) {
  return one.param ? "AllFeatures" : "NoFeatures";
});
INSTANTIATE_TEST_SUITE_P(, BuffersTest, testing::Bool(), [](const auto& one) {
  return one.param ? "AllFeatures" : "NoFeatures";
});

}  // namespace
}  // namespace ringroom::reactor
