#include "ring_fixture.h"

#include <array>
#include <cerrno>
#include <set>

#include <sys/eventfd.h>

namespace ringroom::reactor {
namespace {

class RingTest : public RingFixture {};

TEST_P(RingTest, AcceptsIntoDirectDescriptors) {
  std::vector<Socket> clients;
  std::set<std::uint32_t> files;
  for (int i = 0; i < 5; ++i) {
    Socket client(-1);
    files.insert(accept_one(client));
    clients.push_back(std::move(client));
  }
  EXPECT_EQ(files.size(), 5U);
  EXPECT_LT(*files.rbegin(), ring_->files_max());
}

TEST_P(RingTest, ConnectsToAListener) {
  base::Address server;
  server.bytes = sizeof(server.storage);
  ASSERT_EQ(getsockname(listener_.get(), server.get(), &server.bytes), 0);
  constexpr Tag connect_tag = Tag::of(Op::connect, 9);
  const ConnectOptions options{.source = base::parse_address("127.0.0.7:0").value};
  ASSERT_EQ(ring_->connect(9, server, options, connect_tag), 0);
  EXPECT_EQ(ring_.wait_for(connect_tag).result, 0);
  base::Address peer;
  peer.bytes = sizeof(peer.storage);
  const Socket accepted(::accept(listener_.get(), peer.get(), &peer.bytes));
  EXPECT_TRUE(peer.text().starts_with("127.0.0.7:"));
  ring_->receive(9, receive_tag);
  accepted.write("welcome");
  EXPECT_EQ(ring_.receive(receive_tag, 7), "welcome");
  ring_->close(9, std::array{receive_tag}, close_tag);
  EXPECT_EQ(ring_.wait_for(close_tag).result, 0);
  EXPECT_EQ(accepted.read(), "");
  ASSERT_EQ(ring_->connect(9, server, {}, connect_tag), 0);  // the place is free again
  EXPECT_EQ(ring_.wait_for(connect_tag).result, 0);
}

TEST_P(RingTest, AConnectTellsThatNobodyListens) {
  base::Address server;
  server.bytes = sizeof(server.storage);
  ASSERT_EQ(getsockname(listener_.get(), server.get(), &server.bytes), 0);
  listener_ = Socket(-1);
  constexpr Tag connect_tag = Tag::of(Op::connect, 9);
  ASSERT_EQ(ring_->connect(9, server, {}, connect_tag), 0);
  EXPECT_EQ(ring_.wait_for(connect_tag).result, -ECONNREFUSED);
}

TEST_P(RingTest, AConnectFromAForeignAddressIsRefusedAtOnce) {
  const ConnectOptions options{.source = base::parse_address("192.0.2.1:0").value};
  EXPECT_EQ(ring_->connect(9, *base::parse_address("127.0.0.1:1").value, options, receive_tag),
            -EADDRNOTAVAIL);
}

TEST_P(RingTest, ReceivesUntilThePeerIsDone) {
  ring_->receive(accept_one(client_), receive_tag);
  for (const std::string_view text : {"first", "second"}) {
    client_.write(text);
    const Completion completion = ring_.wait_for(receive_tag);
    ASSERT_EQ(completion.result, static_cast<int>(text.size()));
    EXPECT_TRUE(completion.more);
    EXPECT_TRUE(completion.has_buffer);
    EXPECT_TRUE(std::ranges::equal(completion.bytes(), bytes_of(text)));
    ring_->release(completion.buffer);
  }
  client_ = Socket(-1);
  const Completion end = ring_.wait_for(receive_tag);
  EXPECT_EQ(end.result, 0);
  EXPECT_FALSE(end.more);
  EXPECT_FALSE(end.has_buffer);
}

TEST_P(RingTest, ReceivesOnceWhenAskedForOnce) {
  const std::uint32_t file = accept_one(client_);
  ring_->receive_once(file, receive_tag);
  client_.write("head");
  const Completion first = ring_.wait_for(receive_tag);
  EXPECT_EQ(first.result, 4);
  EXPECT_FALSE(first.more);
  ring_->release(first.buffer);
  client_.write("body");
  EXPECT_FALSE(ring_.poll_for(receive_tag));
  ring_->receive_once(file, receive_tag);
  EXPECT_EQ(ring_.receive(receive_tag, 4), "body");
}

TEST_P(RingTest, SendsInSilence) {
  const std::uint32_t file = accept_one(client_);
  ring_->send(file, bytes_of("frame"), send_tag);
  EXPECT_FALSE(ring_.poll_for(send_tag));
  EXPECT_EQ(client_.read(5), "frame");
  EXPECT_FALSE(ring_.poll_for(send_tag));
}

TEST_P(RingTest, SendsSeveralPiecesInOrder) {
  const std::uint32_t file = accept_one(client_);
  std::array<std::string, 3> texts = {"one ", "two ", "three"};
  for (int round = 0; round < 3; ++round) {
    std::vector<iovec> pieces;
    for (std::string& text : texts) pieces.push_back({text.data(), text.size()});
    ring_->send_gathered(file, pieces, send_tag);
    pieces.clear();  // the array was copied
    EXPECT_FALSE(ring_.poll_for(send_tag));
    EXPECT_EQ(client_.read(13), "one two three");
  }
}

TEST_P(RingTest, SaysHowMuchOfASendWasTaken) {
  const std::uint32_t file = accept_one(client_);
  std::string text(16U << 20, '\0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 7 >> 3);
  ring_->send(file, bytes_of(text), send_tag);
  const Completion taken = ring_.wait_for(send_tag);
  ASSERT_GT(taken.result, 0);
  ASSERT_LT(static_cast<std::size_t>(taken.result), text.size());

  ring_->send(file, bytes_of("no room"), send_tag);
  EXPECT_EQ(ring_.wait_for(send_tag).result, -EAGAIN);

  const auto rest = bytes_of(text).subspan(static_cast<std::size_t>(taken.result));
  ring_->send_rest(file, rest, rest_tag);
  std::string received;
  while (received.size() < text.size()) {
    EXPECT_FALSE(received.size() + (1U << 16) < rest.size() / 2 && ring_.poll_for(rest_tag));
    ring_->submit_and_wait(0);  // lets the kernel go on
    received += client_.read();
  }
  EXPECT_EQ(ring_.wait_for(rest_tag).result, static_cast<int>(rest.size()));
  EXPECT_TRUE(received == text);
}

TEST_P(RingTest, TellsThatThePeerIsGone) {
  const std::uint32_t file = accept_one(client_);
  const linger reset{.l_onoff = 1, .l_linger = 0};
  setsockopt(client_.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
  ring_->receive(file, receive_tag);
  ring_->submit();
  client_ = Socket(-1);
  EXPECT_EQ(ring_.wait_for(receive_tag).result, -ECONNRESET);
  ring_->send(file, bytes_of("anybody?"), send_tag);
  EXPECT_EQ(ring_.wait_for(send_tag).result, -EPIPE);
}

TEST_P(RingTest, ClosesEndingWhatIsArmed) {
  const std::uint32_t file = accept_one(client_);
  ring_->receive(file, receive_tag);
  EXPECT_FALSE(ring_.poll_for(receive_tag));
  ring_->close(file, close_tag);
  EXPECT_EQ(ring_.wait_for(close_tag).result, 0);
  const Completion ended = ring_.wait_for(receive_tag);
  EXPECT_LE(ended.result, 0);
  EXPECT_FALSE(ended.more);
  EXPECT_EQ(client_.read(), "");
  Socket next(-1);
  EXPECT_EQ(accept_one(next), file);
}

TEST_P(RingTest, ClosesWhatHasNothingArmed) {
  const std::uint32_t file = accept_one(client_);
  ring_->send(file, bytes_of("bye"), send_tag);
  ring_->close(file, close_tag);
  EXPECT_EQ(ring_.wait_for(close_tag).result, 0);
  EXPECT_EQ(client_.read(3), "bye");
  EXPECT_EQ(client_.read(), "");
}

TEST_P(RingTest, ClosesWithAFullSubmissionQueue) {
  const std::uint32_t file = accept_one(client_);
  ring_->receive(file, receive_tag);
  for (int i = 0; i < 63; ++i) ring_->wake(ring_->descriptor(), Tag::of(Op::letters, 0));
  ring_->close(file, close_tag);
  EXPECT_EQ(ring_.wait_for(close_tag).result, 0);
  EXPECT_EQ(client_.read(), "");
}

TEST_P(RingTest, CancelsAReceive) {
  const std::uint32_t file = accept_one(client_);
  ring_->receive(file, receive_tag);
  EXPECT_FALSE(ring_.poll_for(receive_tag));
  ring_->cancel(receive_tag);
  const Completion ended = ring_.wait_for(receive_tag);
  EXPECT_EQ(ended.result, -ECANCELED);
  EXPECT_FALSE(ended.more);
  ring_->receive(file, receive_tag);
  client_.write("still open");
  EXPECT_EQ(ring_.receive(receive_tag, 10), "still open");
}

TEST_P(RingTest, ShutsItsDirectionOnly) {
  const std::uint32_t file = accept_one(client_);
  ring_->receive(file, receive_tag);
  ring_->shut_down(file, Tag::of(Op::shut_down, 1));
  EXPECT_EQ(ring_.wait_for(Tag::of(Op::shut_down, 1)).result, 0);
  EXPECT_EQ(client_.read(), "");
  client_.write("more from me");
  EXPECT_EQ(ring_.receive(receive_tag, 12), "more from me");
}

TEST_P(RingTest, PollsOnceForBytesAndForTheEnd) {
  const std::uint32_t file = accept_one(client_);
  const Tag tag = Tag::of(Op::poll, 1);
  ring_->poll(file, tag);
  EXPECT_FALSE(ring_.poll_for(tag));
  client_.write("!");
  EXPECT_GT(ring_.wait_for(tag).result, 0);
  EXPECT_FALSE(ring_.poll_for(tag));
  ring_->receive_once(file, receive_tag);
  EXPECT_EQ(ring_.receive(receive_tag, 1), "!");
  ring_->poll(file, tag);
  client_ = Socket(-1);
  EXPECT_GT(ring_.wait_for(tag).result, 0);
}

TEST_P(RingTest, MovesAFileToAnotherRing) {
  TestRing target(options());
  const std::uint32_t file = accept_one(client_);
  client_.write("before ");
  const Tag arrival = Tag::with_payload(Op::arrival, 0x1234'5678'9abc);
  const Tag move = Tag::of(Op::move, file);
  ring_->move_file(file, target->descriptor(), arrival, move);
  EXPECT_GE(ring_.wait_for(move).result, 0);
  const Completion arrived = target.wait_for(arrival);
  ASSERT_GE(arrived.result, 0);
  ring_->close(file, close_tag);
  EXPECT_EQ(ring_.wait_for(close_tag).result, 0);

  client_.write("after");
  const auto moved = static_cast<std::uint32_t>(arrived.result);
  target->receive(moved, receive_tag);
  EXPECT_EQ(target.receive(receive_tag, 12), "before after");
  target->send(moved, bytes_of("answer"), send_tag);
  target->submit();
  EXPECT_EQ(client_.read(6), "answer");
}

TEST_P(RingTest, KeepsAFileThatTheTargetHasNoRoomFor) {
  RingOptions small = options();
  small.files_max = 1;
  TestRing target(small);
  const Tag arrival = Tag::of(Op::arrival, 1);
  Socket first(-1);
  const std::uint32_t moved = accept_one(first);
  ring_->move_file(moved, target->descriptor(), arrival, Tag::of(Op::move, moved));
  EXPECT_GE(ring_.wait_for(Tag::of(Op::move, moved)).result, 0);
  EXPECT_EQ(target.wait_for(arrival).result, 0);

  const std::uint32_t file = accept_one(client_);
  ring_->move_file(file, target->descriptor(), arrival, Tag::of(Op::move, file));
  EXPECT_EQ(ring_.wait_for(Tag::of(Op::move, file)).result, -ENFILE);
  EXPECT_FALSE(target.poll_for(arrival));
  ring_->send(file, bytes_of("503"), send_tag);
  ring_->submit();
  EXPECT_EQ(client_.read(3), "503");
}

TEST_P(RingTest, WakesAnotherRing) {
  TestRing target(options());
  const Tag letters = Tag::of(Op::letters, 3);
  ring_->wake(target->descriptor(), letters);
  ring_->submit();
  EXPECT_EQ(target.wait_for(letters).result, 0);
  EXPECT_FALSE(target.poll_for(letters));
  EXPECT_FALSE(ring_.poll_for(Tag::of(Op::ignored, 0)));
}

TEST_P(RingTest, ReadsAnEvent) {
  const Socket event(eventfd(0, 0));
  std::uint64_t counter = 0;
  const Tag tag = Tag::of(Op::event, 0);
  ring_->read_event(event.get(), &counter, tag);
  EXPECT_FALSE(ring_.poll_for(tag));
  EXPECT_EQ(eventfd_write(event.get(), 5), 0);
  EXPECT_EQ(ring_.wait_for(tag).result, 8);
  EXPECT_EQ(counter, 5U);
}

TEST_P(RingTest, KnowsItsPeersAddressIfTheKernelTells) {
  const std::uint32_t file = accept_one(client_);
  sockaddr_in address{};
  socklen_t bytes = sizeof(address);
  getsockname(client_.get(), reinterpret_cast<sockaddr*>(&address), &bytes);
  const std::string wanted = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  EXPECT_EQ(ring_->peer_address(file), ring_->features().fixed_fd_install ? wanted : "");
  EXPECT_EQ(ring_->peer_address(63), "");
}

TEST_P(RingTest, LosesNoCompletionWhileItAsksForAnAddress) {
  const std::uint32_t file = accept_one(client_);
  const Tag letters = Tag::of(Op::letters, 0);
  for (int i = 0; i < 3; ++i) ring_->wake(ring_->descriptor(), letters);
  ring_->receive(file, receive_tag);
  client_.write("bytes");
  const std::string address = ring_->peer_address(file);
  EXPECT_EQ(address.empty(), !ring_->features().fixed_fd_install);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(ring_.wait_for(letters).result, 0);
  EXPECT_EQ(ring_.receive(receive_tag, 5), "bytes");
}

TEST_P(RingTest, WaitsNoLongerThanTheDeadline) {
  for (const std::uint64_t gather_ns : {std::uint64_t{0}, Ring::busy_gather_ns}) {
    ring_->submit_and_wait(0, gather_ns);
    ring_->submit_and_wait(ring_->now_ns() + 1'000'000, gather_ns);
    ring_->submit_and_wait(ring_->now_ns() - 1, gather_ns);
    ring_.reap();
    EXPECT_EQ(ring_.kept(), 0U);
  }
}

TEST_P(RingTest, WaitsForCompletionsWithoutADeadline) {
  const Tag letters = Tag::of(Op::letters, 0);
  for (const std::uint64_t gather_ns : {std::uint64_t{0}, Ring::busy_gather_ns}) {
    ring_->wake(ring_->descriptor(), letters);
    ring_->submit_and_wait(UINT64_MAX, gather_ns);
    ring_.reap();
    EXPECT_TRUE(ring_.poll_for(letters));
  }
}

TEST_P(RingTest, GathersForAsLongAsItIsTold) {
  constexpr std::uint64_t gather_ns = 5'000'000;
  const Tag letters = Tag::of(Op::letters, 0);
  ring_->wake(ring_->descriptor(), letters);
  const std::uint64_t began = ring_->now_ns();
  ring_->submit_and_wait(UINT64_MAX, gather_ns);
  const std::uint64_t waited_ns = ring_->now_ns() - began;
  EXPECT_GE(waited_ns, ring_->features().min_wait ? gather_ns : 0);
  EXPECT_TRUE(ring_.poll_for(letters));
}

TEST_P(RingTest, GathersNoLongerThanTheDeadline) {
  constexpr std::uint64_t hour_ns = 3'600'000'000'000;
  const Tag letters = Tag::of(Op::letters, 0);
  ring_->wake(ring_->descriptor(), letters);
  ring_->submit_and_wait(ring_->now_ns() + 1'000'000, hour_ns);
  EXPECT_TRUE(ring_.poll_for(letters));
  for (int i = 0; i < 64; ++i) ring_->wake(ring_->descriptor(), letters);
  ring_->submit_and_wait(UINT64_MAX, hour_ns);
  EXPECT_TRUE(ring_.poll_for(letters));
}

TEST_P(RingTest, TakesMoreThanItsQueueHolds) {
  const Tag letters = Tag::of(Op::letters, 0);
  for (int i = 0; i < 300; ++i) ring_->wake(ring_->descriptor(), letters);
  for (int i = 0; i < 300; ++i) ring_.wait_for(letters);
  EXPECT_FALSE(ring_.poll_for(letters));
}

TEST_P(RingTest, LosesNothingWhenCompletionsOverflow) {
  TestRing target({.files_max = 8,
                   .submissions_max = 8,
                   .completions_max = 16,
                   .features_allowed = options().features_allowed});
  const Tag letters = Tag::of(Op::letters, 0);
  for (int i = 0; i < 500; ++i) target->wake(target->descriptor(), letters);
  for (int i = 0; i < 500; ++i) target.wait_for(letters);
  EXPECT_FALSE(target.poll_for(letters));
}

TEST_P(RingTest, HasAClockThatNeverGoesBack) {
  const std::uint64_t before = ring_->now_ns();
  EXPECT_GE(ring_->now_ns(), before);
  EXPECT_GT(ring_->wall_ms(), 1'700'000'000'000);
}

INSTANTIATE_TEST_SUITE_P(, RingTest, testing::Bool(), [](const auto& one) {
  return one.param ? "AllFeatures" : "NoFeatures";
});

}  // namespace
}  // namespace ringroom::reactor
