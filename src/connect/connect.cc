#include "connect/connect.h"

#include "codec/envelope/envelope.h"
#include "connect/hex.h"
#include "connect/input.h"
#include "connect/options.h"
#include "connect/socket.h"
#include "ringroom/close_code.h"
#include "ringroom/limits.h"

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <optional>

#include <Poco/Exception.h>

#include <poll.h>
#include <unistd.h>

namespace ringroom::connect {

namespace {

using codec::envelope::JsonReader;

constexpr int ended_well = 0;
constexpr int not_connected = 1;
constexpr int closed_by_server = 2;
constexpr int broken = 3;

// What a server may take to answer our close frame.
constexpr int close_timeout_ms = 5000;

volatile std::sig_atomic_t interrupted = 0;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// One conversation, from the handshake to the exit code.
class Run {
 public:
  explicit Run(const Options& options) : options_(options), socket_(options) {}

  int go();

 private:
  std::optional<int> receive();
  std::optional<int> closed(const Received& received);
  void show(const Received& received);
  bool show_envelope(const Received& received);
  void show_batch(const Batch& batch);
  void show_message(std::string_view label, std::span<const std::byte> payload, bool is_text);
  void send_lines(const std::vector<std::string>& lines);
  void send_line(const std::string& line);
  void send_envelope(const std::vector<std::string>& lines);
  void end();

  const Options& options_;
  Socket socket_;
  Input input_;
  JsonReader json_;
  std::uint64_t shown_ = 0;
  std::uint64_t sequence_ = 0;
  bool ending_ = false;  // our close frame is out
};

int Run::go() {
  if (options_.batch != BatchFormat::none && socket_.protocol() != options_.protocols.front()) {
    std::fputs("ringroom connect: the server doesn't agree on envelopes\n", stderr);
    return not_connected;
  }
  for (;;) {
    while (socket_.has_input()) {
      if (const auto code = receive()) return *code;
    }
    pollfd waits[2] = {{socket_.descriptor(), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    const int ready = ::poll(waits, ending_ ? 1 : 2, ending_ ? close_timeout_ms : -1);
    if (interrupted != 0 && !ending_) end();
    if (ready == 0 && ending_) return ended_well;
    if (ready <= 0) continue;
    if (waits[0].revents != 0) {
      if (const auto code = receive()) return *code;
    }
    if (!ending_ && waits[1].revents != 0) {
      send_lines(input_.read());
      if (input_.ended() && options_.count == 0) end();
    }
  }
}

// The exit code, if that was the end.
std::optional<int> Run::receive() {
  const Received received = socket_.receive();
  switch (received.kind) {
    case Received::Kind::nothing: return std::nullopt;
    case Received::Kind::closed: return closed(received);
    case Received::Kind::broken:
      if (ending_) return ended_well;
      std::fprintf(stderr, "ringroom connect: the connection broke %s\n", received.reason.c_str());
      return broken;
    case Received::Kind::text:
    case Received::Kind::binary: show(received);
  }
  if (options_.count > 0 && shown_ >= options_.count && !ending_) end();
  return std::nullopt;
}

std::optional<int> Run::closed(const Received& received) {
  if (ending_ || received.code == number(CloseCode::normal)) return ended_well;
  std::fprintf(stderr, "ringroom connect: closed with %u %s\n", unsigned{received.code},
               received.reason.c_str());
  return closed_by_server;
}

void Run::show(const Received& received) {
  if (options_.batch != BatchFormat::none && show_envelope(received)) return;
  show_message({}, received.bytes, received.kind == Received::Kind::text);
}

// False if the message came by itself.
bool Run::show_envelope(const Received& received) {
  Batch batch;
  if (options_.batch == BatchFormat::flatbuffers) {
    constexpr std::string_view identifier = "RRE1";
    if (received.kind != Received::Kind::binary || received.bytes.size() < 8 ||
        text_of(received.bytes).substr(4, 4) != identifier) {
      return false;
    }
    const std::string_view fault = codec::envelope::read_flat(received.bytes, json_, batch);
    if (!fault.empty()) {
      std::fprintf(stderr, "ringroom connect: %.*s\n", static_cast<int>(fault.size()),
                   fault.data());
      return true;
    }
  } else if (received.kind != Received::Kind::text ||
             json_.read(text_of(received.bytes), batch).outcome != JsonReader::Outcome::envelope) {
    return false;
  }
  show_batch(batch);
  return true;
}

void Run::show_batch(const Batch& batch) {
  if (batch.missed() > 0) {
    std::fprintf(stderr, "ringroom connect: the server dropped %u messages\n", batch.missed());
  }
  for (const BatchedMessage message : batch) {
    std::string label(message.type);
    if (!message.key.empty()) label += "[" + std::string(message.key) + "]";
    show_message(label, message.payload, message.kind != PayloadKind::bytes);
  }
}

void Run::show_message(std::string_view label, std::span<const std::byte> payload, bool is_text) {
  ++shown_;
  std::string line(label);
  if (!label.empty()) line += ' ';
  if (options_.binary) {
    line += std::to_string(payload.size()) + " bytes\n" + hex_dump(payload);
  } else if (is_text) {
    line.append(text_of(payload)).append("\n");
  } else {
    line += "<" + hex_line(payload) + ">\n";
  }
  input_.print(line);
}

void Run::send_lines(const std::vector<std::string>& lines) {
  if (options_.batch != BatchFormat::none) return send_envelope(lines);
  for (const std::string& line : lines) send_line(line);
}

void Run::send_line(const std::string& line) {
  if (!options_.binary) return socket_.send(bytes_of(line), true);
  if (const auto bytes = read_hex(line)) return socket_.send(*bytes, false);
  std::fprintf(stderr, "ringroom connect: not sent, no hex digits in pairs: %s\n", line.c_str());
}

// Lines are: a type, a space, a payload; the payload is hex with --binary, else JSON if it is an
// object or an array, else text.
void Run::send_envelope(const std::vector<std::string>& lines) {
  std::vector<BatchedMessage> messages;
  std::vector<std::vector<std::byte>> payloads;
  payloads.reserve(lines.size());
  for (const std::string& line : lines) {
    const std::string_view view = line;
    const std::size_t space = std::min(view.find(' '), view.size());
    const std::string_view rest = view.substr(std::min(space + 1, view.size()));
    BatchedMessage message{.type = view.substr(0, space), .payload = bytes_of(rest)};
    message.kind = PayloadKind::text;
    if (options_.binary) {
      auto bytes = read_hex(rest);
      message.kind = PayloadKind::bytes;
      if (bytes) message.payload = payloads.emplace_back(*std::move(bytes));
      if (!bytes || message.type.size() > limits::envelope_name_bytes_max) {
        std::fprintf(stderr, "ringroom connect: not sent, no type and hex: %s\n", line.c_str());
        continue;
      }
    } else if (!rest.empty() && (rest.front() == '{' || rest.front() == '[') &&
               json_.is_json(rest)) {
      message.kind = PayloadKind::json_value;
    }
    if (message.type.size() > limits::envelope_name_bytes_max) {
      std::fputs("ringroom connect: not sent, the type is longer than 255 bytes\n", stderr);
      continue;
    }
    messages.push_back(message);
  }
  for (std::span<const BatchedMessage> left = messages; !left.empty();) {
    const auto some = left.first(std::min(left.size(), limits::envelope_messages_max));
    left = left.subspan(some.size());
    std::timespec now{};
    std::timespec_get(&now, TIME_UTC);
    const codec::envelope::Head head{now.tv_sec * std::int64_t{1000} + now.tv_nsec / 1'000'000,
                                     ++sequence_, 0};
    std::vector<std::byte> wire;
    if (options_.batch == BatchFormat::flatbuffers) {
      codec::envelope::append_flat(wire, head, some);
    } else {
      codec::envelope::append_json(wire, head, some);
    }
    socket_.send(wire, options_.batch == BatchFormat::json_text);
  }
}

void Run::end() {
  ending_ = true;
  socket_.close();
}

void on_interrupt(int) {
  interrupted = 1;
}

}  // namespace

int run(int argc, char** argv) {
  const auto parsed = parse_options(argc, argv);
  if (const int* code = std::get_if<int>(&parsed)) return *code;
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  sigaction(SIGINT, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::optional<Run> conversation;
  try {
    conversation.emplace(*std::get_if<Options>(&parsed));
  } catch (const Poco::Exception& error) {
    const Options& options = *std::get_if<Options>(&parsed);
    std::fprintf(stderr, "ringroom connect: no connection to %s:%u: %s\n", options.host.c_str(),
                 unsigned{options.port}, error.displayText().c_str());
    return not_connected;
  }
  try {
    return conversation->go();
  } catch (const Poco::Exception& error) {
    std::fprintf(stderr, "ringroom connect: the connection broke: %s\n",
                 error.displayText().c_str());
    return broken;
  }
}

}  // namespace ringroom::connect
