// The device client against a server's bytes: right ones, cut anywhere, and hostile ones.
#include "codec/envelope/envelope.h"
#include "codec/ws/decoder.h"
#include "codec/ws/encoder.h"
#include "memory_transport.h"

#include <gtest/gtest.h>

namespace ringroom::device {
namespace {

using codec::ws::Opcode;
using testing::Log;
using testing::MemoryTransport;
using Words = std::vector<std::string>;

std::string frame(Opcode opcode, std::string_view payload, bool fin = true) {
  std::byte header[codec::ws::header_bytes_max];
  const std::size_t bytes = codec::ws::encode_header(header, opcode, payload.size(), fin);
  return std::string(reinterpret_cast<const char*>(header), bytes) + std::string(payload);
}

std::string envelope(std::span<const BatchedMessage> messages, std::uint32_t missed = 0) {
  std::vector<std::byte> wire;
  codec::envelope::append_flat(wire, {.sequence = 1, .missed = missed}, messages);
  return {reinterpret_cast<const char*>(wire.data()), wire.size()};
}

BatchedMessage message(std::string_view type, std::string_view payload) {
  return {.type = type, .payload = std::as_bytes(std::span(payload))};
}

struct SentFrame {
  Opcode opcode;
  std::string payload;
  std::uint16_t code;
};

/// What a server's decoder makes of what the device sent, which is taken.
std::vector<SentFrame> take_frames(MemoryTransport& transport) {
  std::string wire = std::exchange(transport.sent, {});
  std::span<std::byte> input = std::as_writable_bytes(std::span(wire));
  codec::ws::Decoder decoder;
  std::vector<SentFrame> frames;
  for (;;) {
    const codec::ws::Event event = decoder.next(input, {});
    using Kind = codec::ws::Event::Kind;
    if (event.kind == Kind::need_more) return frames;
    EXPECT_NE(event.kind, Kind::error) << event.reason;
    const Opcode opcode = event.kind == Kind::ping    ? Opcode::ping
                          : event.kind == Kind::pong  ? Opcode::pong
                          : event.kind == Kind::close ? Opcode::close
                                                      : event.opcode;
    frames.push_back({opcode,
                      {reinterpret_cast<const char*>(event.payload.data()), event.payload.size()},
                      event.close_code});
    if (event.kind == Kind::error) return frames;
  }
}

struct Sent {
  std::uint64_t sequence;
  std::uint32_t missed;
  Words messages;
};

Sent read_envelope(std::string_view wire) {
  std::vector<std::uint64_t> aligned(wire.size() / 8 + 1);
  std::memcpy(aligned.data(), wire.data(), wire.size());
  codec::envelope::JsonReader json;
  Batch batch;
  EXPECT_EQ(
      codec::envelope::read_flat(std::as_bytes(std::span(aligned)).first(wire.size()), json, batch),
      "");
  Sent sent{batch.sequence(), batch.missed(), {}};
  for (const BatchedMessage one : batch) {
    sent.messages.push_back(std::string(one.type) + ":" + std::string(one.text()));
  }
  return sent;
}

class DeviceTest : public ::testing::Test {
 protected:
  void open() {
    device.poll(now_ms);
    transport.incoming = transport.answer();
    device.poll(now_ms);
    ASSERT_TRUE(device.is_open());
    ASSERT_EQ(log.take(), Words{"open"});
  }
  void hear(const std::string& bytes) {
    transport.incoming += bytes;
    for (int i = 0; i < 10'000 && !transport.incoming.empty(); ++i) device.poll(now_ms);
  }
  /// Hears bytes that no server may send: the device says why and comes again.
  void expect_refused(const std::string& bytes, std::uint16_t code) {
    open();
    hear(bytes);
    const std::vector<SentFrame> frames = take_frames(transport);
    ASSERT_FALSE(frames.empty());
    EXPECT_EQ(frames.back().opcode, Opcode::close);
    EXPECT_EQ(frames.back().code, code);
    EXPECT_EQ(log.take(), Words{"close " + std::to_string(code)});
    EXPECT_FALSE(device.is_open());
    now_ms += 120'000;
  }

  MemoryTransport transport;
  Log log;
  std::uint32_t now_ms = UINT32_MAX - 1000;  // the clock wraps around soon
  Device<> device{transport, log, {}};
};

TEST_F(DeviceTest, AsksForARoom) {
  device.poll(now_ms);
  EXPECT_EQ(transport.sent.substr(0, transport.sent.find('\r')),
            "GET /agents/io-t-agent/device?protocol=binary&batch=fb HTTP/1.1");
  EXPECT_EQ(device.state(), Device<>::State::handshaking);
}

TEST_F(DeviceTest, OpensOnTheRightAnswerOnly) {
  const auto outcome = [this](auto change) {
    device.poll(now_ms);
    std::string answer = transport.answer();
    change(answer);
    transport.incoming = answer;
    device.poll(now_ms);
    now_ms += 120'000;
    return device.is_open();
  };
  EXPECT_FALSE(outcome([](std::string& head) { head.replace(9, 3, "200"); }));
  EXPECT_FALSE(outcome([](std::string& head) { head[head.size() - 10] ^= 1; }));
  EXPECT_FALSE(outcome(
      [](std::string& head) { head.insert(head.size() - 2, "Sec-WebSocket-Extensions: x\r\n"); }));
  EXPECT_FALSE(outcome(
      [](std::string& head) { head.insert(head.size() - 2, "sec-websocket-protocol: x\r\n"); }));
  EXPECT_FALSE(outcome([](std::string& head) { head.assign(5000, 'x'); }));
  EXPECT_FALSE(outcome([](std::string& head) { head = "\r\n\r\n"; }));
  EXPECT_TRUE(outcome([](std::string&) {}));
  EXPECT_EQ(log.take(), Words{"open"});
}

TEST_F(DeviceTest, GivesUpOnAServerThatDoesNotAnswer) {
  device.poll(now_ms);
  device.poll(now_ms + 10'001);
  EXPECT_EQ(device.state(), Device<>::State::waiting);
  EXPECT_EQ(log.take(), Words{});
}

TEST_F(DeviceTest, SendsWhatIsQueuedInOneEnvelope) {
  ASSERT_TRUE(device.queue("temp", "\x15", 1));
  ASSERT_TRUE(device.queue("humidity", "0.5", 3));
  open();
  device.poll(now_ms + 49);
  EXPECT_EQ(transport.sent, "");
  device.poll(now_ms + 50);
  auto frames = take_frames(transport);
  ASSERT_EQ(frames.size(), 1U);
  Sent sent = read_envelope(frames[0].payload);
  EXPECT_EQ(sent.sequence, 1U);
  EXPECT_EQ(sent.messages, (Words{"temp:\x15", "humidity:0.5"}));
  ASSERT_TRUE(device.send("now", "", 0));
  frames = take_frames(transport);
  sent = read_envelope(frames.at(0).payload);
  EXPECT_EQ(sent.sequence, 2U);
  EXPECT_EQ(sent.messages, Words{"now:"});
}

TEST_F(DeviceTest, RefusesWhatItHasNoRoomFor) {
  const std::string payload(100, 'p');
  std::size_t taken = 0;
  while (device.queue("t", payload.data(), payload.size())) ++taken;
  EXPECT_GT(taken, 5U);
  EXPECT_EQ(device.queued(), taken);
  EXPECT_FALSE(device.queue("t", std::string(2000, 'p').data(), 2000));
  open();
  ASSERT_TRUE(device.flush());
  EXPECT_EQ(read_envelope(take_frames(transport).at(0).payload).messages.size(), taken);
  EXPECT_TRUE(device.queue("t", payload.data(), payload.size()));
}

TEST_F(DeviceTest, SendsPlainMessagesWithoutEnvelopes) {
  Options options;
  options.batch = false;
  options.path = "/agents/echo/x?_pk=me";
  Device<> plain(transport, log, options);
  plain.poll(now_ms);
  EXPECT_EQ(transport.sent.substr(0, transport.sent.find('\r')),
            "GET /agents/echo/x?_pk=me&protocol=binary HTTP/1.1");
  EXPECT_FALSE(plain.send("", "x", 1));
  transport.incoming = transport.answer();
  plain.poll(now_ms);
  ASSERT_TRUE(plain.send("ignored", "abc", 3));
  const auto frames = take_frames(transport);
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames[0].opcode, Opcode::binary);
  EXPECT_EQ(frames[0].payload, "abc");
}

TEST_F(DeviceTest, HearsTheSameInPiecesOfAnySize) {
  const std::vector<BatchedMessage> messages = {message("a", "one"), message("", ""),
                                                message("a", std::string_view("\0\1", 2))};
  const std::string wire =
      frame(Opcode::binary, "single") + frame(Opcode::ping, "are you there") +
      frame(Opcode::binary, envelope(messages)) + frame(Opcode::text, "nothing for a device") +
      frame(Opcode::binary, "in ", false) + frame(Opcode::pong, "") +
      frame(Opcode::continuation, "three ", false) + frame(Opcode::continuation, "parts") +
      frame(Opcode::binary, envelope({}, 7)) + frame(Opcode::binary, std::string(600, 'l')) +
      frame(Opcode::binary, "");
  const Words expected = {":single",
                          "a:one",
                          ":",
                          std::string("a:\0\1", 4),
                          ":in three parts",
                          "missed 7",
                          ":" + std::string(600, 'l'),
                          ":"};
  open();
  for (const std::size_t piece :
       {std::size_t{1}, std::size_t{2}, std::size_t{7}, std::size_t{100}, SIZE_MAX}) {
    transport.piece_bytes = piece;
    hear(wire);
    EXPECT_EQ(log.take(), expected) << piece;
    const auto frames = take_frames(transport);
    ASSERT_EQ(frames.size(), 1U);
    EXPECT_EQ(frames[0].opcode, Opcode::pong);
    EXPECT_EQ(frames[0].payload, "are you there");
  }
}

TEST_F(DeviceTest, RefusesWhatNoServerMaySend) {
  const auto bytes = [](std::initializer_list<int> list) {
    std::string text;
    for (const int byte : list) text += static_cast<char>(byte);
    return text;
  };
  expect_refused(bytes({0x82, 0x81, 1, 2, 3, 4, 5}), 1002);  // masked
  expect_refused(bytes({0xc2, 0x01, 'x'}), 1002);            // compressed
  expect_refused(bytes({0x83, 0x00}), 1002);                 // reserved opcodes
  expect_refused(bytes({0x8b, 0x00}), 1002);
  expect_refused(bytes({0x80, 0x00}), 1002);                        // nothing to continue
  expect_refused(bytes({0x02, 0x01, 'x', 0x82, 0x01, 'y'}), 1002);  // not continued
  expect_refused(bytes({0x09, 0x00}), 1002);                        // a fragmented ping
  expect_refused(bytes({0x89, 126, 0, 126}), 1002);                 // a long one
  expect_refused(bytes({0x82, 126, 0, 5}) + "short", 1002);         // a length written too long
  expect_refused(bytes({0x88, 0x01, 3}), 1002);                     // half a close code
  expect_refused(bytes({0x82, 127, 0, 0, 0, 0, 0, 0, 0, 1}), 1009);
  expect_refused(bytes({0x82, 126, 0x10, 0x00}), 1009);  // more than there is room for
  expect_refused(frame(Opcode::binary, std::string(1000, 'x'), false) +
                     frame(Opcode::continuation, std::string(1000, 'x')),
                 1009);
  const std::string whole = envelope(std::vector{message("type", "payload")});
  expect_refused(frame(Opcode::binary, whole.substr(0, whole.size() - 8)), 1007);
}

TEST_F(DeviceTest, AnswersACloseAndComesAgain) {
  open();
  hear(frame(Opcode::close, std::string_view("\x03\xe9 going", 8)));
  EXPECT_EQ(log.take(), Words{"close 1001"});
  EXPECT_EQ(take_frames(transport).at(0).code, 1001);
  now_ms += 60'000;
  open();
}

TEST_F(DeviceTest, GoesOnWithItsSequenceAndSaysWhatWasLost) {
  open();
  transport.write_bytes = 10;
  ASSERT_TRUE(device.send("a", "1", 1));
  EXPECT_EQ(device.next_sequence(), 2U);
  transport.write_bytes = 0;
  ASSERT_TRUE(device.send("a", "2", 1));
  transport.is_cut = true;
  device.poll(now_ms);
  EXPECT_EQ(log.take(), Words{"close 1006"});
  ASSERT_TRUE(device.queue("a", "3", 1));
  transport.sent.clear();
  transport.write_bytes = SIZE_MAX;
  now_ms += 60'000;
  open();
  ASSERT_TRUE(device.flush());
  const Sent sent = read_envelope(take_frames(transport).at(0).payload);
  EXPECT_GT(sent.sequence, 2U);
  EXPECT_EQ(sent.missed, 1U);
  EXPECT_EQ(sent.messages, Words{"a:3"});
}

TEST_F(DeviceTest, BacksOffWithJitter) {
  transport.connected = -1;
  device.poll(now_ms);
  std::uint32_t longest_ms = 500;
  for (int attempt = 1; attempt < 14; ++attempt) {
    const int connects = transport.connects;
    std::uint32_t waited_ms = 0;
    while (transport.connects == connects) device.poll(now_ms += 10), waited_ms += 10;
    EXPECT_GE(waited_ms, longest_ms / 2);
    EXPECT_LE(waited_ms, longest_ms + 10);
    longest_ms = std::min<std::uint32_t>(longest_ms * 2, 60'000);
  }
}

TEST_F(DeviceTest, NoticesANetworkThatIsGone) {
  open();
  device.poll(now_ms += 20'000);
  EXPECT_EQ(take_frames(transport).at(0).opcode, Opcode::ping);
  hear(frame(Opcode::pong, ""));
  device.poll(now_ms += 19'999);
  EXPECT_EQ(transport.sent, "");
  device.poll(now_ms += 1);
  EXPECT_EQ(take_frames(transport).at(0).opcode, Opcode::ping);
  device.poll(now_ms += 20'000);
  EXPECT_EQ(log.take(), Words{"close 1006"});
  device.poll(now_ms += 60'000);
  EXPECT_EQ(device.state(), Device<>::State::handshaking);
}

// The sensor goes on measuring; the socket takes a little more, then nothing, and nobody answers.
// What queue() took is delivered once and in order, but for what the socket had taken, which shows
// as a hole in the sequence numbers, and what it hadn't, of which the device tells itself.
TEST_F(DeviceTest, IsOffTheNetworkForAMinute) {
  open();
  std::vector<Sent> heard;
  const auto take = [&] {
    for (const SentFrame& frame : take_frames(transport)) {
      if (frame.opcode == Opcode::binary) heard.push_back(read_envelope(frame.payload));
    }
  };
  unsigned taken = 0;
  const auto measure = [&](std::uint32_t milliseconds) {
    for (std::uint32_t passed = 0; passed < milliseconds; passed += 10) {
      device.poll(now_ms += 10);
      const std::string reading = std::to_string(taken);
      if (passed % 500 == 0 && device.queue("t", reading.data(), reading.size())) ++taken;
    }
  };
  measure(2'000);
  take();
  ASSERT_EQ(heard.size(), 4U);
  ASSERT_EQ(heard.back().sequence, 4U);

  transport.write_room = 200;
  transport.connected = 0;
  measure(60'000);
  EXPECT_EQ(log.take(), Words{"close 1006"});
  EXPECT_GE(transport.connects, 2);
  EXPECT_FALSE(device.is_open());
  EXPECT_GT(device.queued(), 10U);
  transport.sent.clear();  // with the network

  transport.write_room = SIZE_MAX;
  transport.connected = 1;
  for (int i = 0; i < 10'000 && device.state() != Device<>::State::handshaking; ++i) measure(10);
  transport.incoming = transport.answer();
  measure(2'000);
  EXPECT_EQ(log.take(), Words{"open"});
  const std::size_t before = heard.size();
  take();
  ASSERT_GT(heard.size(), before);
  EXPECT_GT(heard[before].sequence, heard[before - 1].sequence + 1);
  EXPECT_GT(heard[before].missed, 0U);
  std::uint64_t sequence = heard[before].sequence;
  unsigned reading = static_cast<unsigned>(std::stoul(heard[before].messages.front().substr(2)));
  EXPECT_GE(reading, 4 + heard[before].missed);
  for (std::size_t i = before; i < heard.size(); ++i, ++sequence) {
    EXPECT_EQ(heard[i].sequence, sequence);
    EXPECT_EQ(heard[i].missed, i == before ? heard[before].missed : 0U);
    for (const std::string& message : heard[i].messages) {
      EXPECT_EQ(message, "t:" + std::to_string(reading++));
    }
  }
  EXPECT_EQ(reading, taken);
  EXPECT_EQ(device.next_sequence(), sequence);
}

TEST_F(DeviceTest, StopsForGood) {
  open();
  device.stop();
  EXPECT_EQ(take_frames(transport).at(0).code, 1000);
  device.poll(now_ms += 120'000);
  EXPECT_EQ(transport.connects, 1);
}

}  // namespace
}  // namespace ringroom::device
