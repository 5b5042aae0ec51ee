// The floor to compare the server with: the smallest WebSocket server on the same ring code, or the
// same over bare TCP, as tcp:// of `ringroom load` means it: each message behind its length (u32),
// the first one is the path, and is answered with an empty one. One thread, echo on paths with
// /echo in them, TickRoom on those with /tick, relay on all others, one send per connection and
// turn, a broadcast encoded once.
// No UTF-8, timers, agents or backpressure: a client that breaks a rule, or doesn't read, is cut
// off. Questions answered: what do agents and checks cost, and what does WebSocket? Use:
// bare_server PORT [tcp], then the same load as against `ringroom serve --shards 1`.
#include "base/arena.h"
#include "codec/http/upgrade.h"
#include "codec/ws/encoder.h"
#include "codec/ws/mask.h"
#include "load/bare.h"
#include "reactor/ring.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>

namespace {

using ringroom::reactor::Completion;
using ringroom::reactor::Op;
using ringroom::reactor::Ring;
using ringroom::reactor::Tag;
namespace ws = ringroom::codec::ws;
namespace bare = ringroom::load::bare;

// The last message of a member, as TickRoom sends it: number, length, bytes.
struct Said {
  static constexpr std::size_t bytes_max = 64;
  std::uint32_t member = 0;
  std::uint16_t size = 0;
  std::array<std::byte, bytes_max> bytes;
};

struct Room {
  std::vector<std::uint32_t> members;
  std::uint32_t members_total = 0;
  bool ticks = false;
  std::byte* log = nullptr;
  std::size_t bytes = 0;
  std::size_t capacity = 0;
};

struct Piece {
  std::byte* data;
  std::size_t bytes;
};

struct Client {
  std::uint32_t generation = 0;  // of the slot's users: what comes late for the last isn't ours
  bool open = false;
  bool dirty = false;
  Room* room = nullptr;  // null: echo
  std::size_t cursor = 0;
  Said said;
  std::vector<Piece> pieces;
  std::vector<std::byte> partial;
};

class Bare {
 public:
  Bare(Ring& ring, int listener, bool is_tcp)
      : ring_(ring), is_tcp_(is_tcp), clients_(ring.files_max()) {
    ring_.accept(listener, Tag::of(Op::accept, 0));
  }

  [[noreturn]] void run() {
    for (;;) {
      wait();
      completions_.clear();
      ring_.reap(completions_);
      forget_turn();
      for (const Completion& completion : completions_) dispatch(completion);
      if (ring_.now_ns() >= next_phase_ns_) tick();
      flush();
    }
  }

 private:
  // What comes in waits for the next rooms that tick.
  void wait() {
    const bool ticks = next_phase_ns_ != UINT64_MAX;
    const std::uint64_t busy_ns = completions_.size() >= 16 ? Ring::busy_gather_ns : 0;
    ring_.submit_and_wait(leaving_.empty() ? next_phase_ns_ : 0, ticks ? phase_ns : busy_ns);
  }

  void start_ticks(Room& room) {
    room.ticks = true;
    phases_[rooms_.size() % phases_.size()].push_back(&room);
    if (next_phase_ns_ == UINT64_MAX) next_phase_ns_ = ring_.now_ns() + phase_ns;
  }

  void tick() {
    next_phase_ns_ += phase_ns;
    for (const Room* room : phases_[phase_]) send_state(*room);
    phase_ = (phase_ + 1) % phases_.size();
  }

  void send_state(const Room& room) {
    constexpr std::size_t entry_bytes = sizeof(Said::member) + sizeof(Said::size);
    constexpr std::size_t header_bytes_max = 10;
    std::byte* const state =
        arena_.take(header_bytes_max + room.members.size() * (entry_bytes + Said::bytes_max)) +
        header_bytes_max;
    std::byte* end = state;
    for (const std::uint32_t slot : room.members) {
      const Said& said = clients_[slot].said;
      if (said.size == 0) continue;
      std::memcpy(end, &said.member, sizeof(said.member));
      std::memcpy(end + sizeof(said.member), &said.size, sizeof(said.size));
      std::memcpy(end + entry_bytes, said.bytes.data(), said.size);
      end += entry_bytes + said.size;
    }
    const auto bytes = static_cast<std::size_t>(end - state);
    std::byte* const frame = state - header_bytes(bytes);
    encode_header(frame, ws::Opcode::binary, bytes);
    for (const std::uint32_t slot : room.members) {
      queue(slot, frame, static_cast<std::size_t>(end - frame));
    }
  }

  void forget_turn() {
    arena_.reset();
    for (const std::uint16_t buffer : held_) ring_.release(buffer);
    held_.clear();
    for (Room* room : logged_) {
      room->log = nullptr;
      room->bytes = 0;
      room->capacity = 0;
    }
    logged_.clear();
    for (const auto& [slot, generation] : leaving_) {
      if (clients_[slot].generation == generation) leave(slot);
    }
    leaving_.clear();
  }

  void dispatch(const Completion& completion) {
    const std::uint32_t slot = completion.tag.slot();
    const Op op = completion.tag.op();
    if (op == Op::accept) {
      if (completion.result >= 0) receive(static_cast<std::uint32_t>(completion.result));
      return;
    }
    if (completion.tag.generation() != clients_[slot].generation) {
      if (completion.has_buffer) ring_.release(completion.buffer);
      return;
    }
    if (op == Op::receive) return on_receive(slot, completion);
    if (op == Op::send) return leave(slot);  // it doesn't read
  }

  Tag tag(Op op, std::uint32_t slot) const { return Tag::of(op, slot, clients_[slot].generation); }

  void receive(std::uint32_t slot) { ring_.receive(slot, tag(Op::receive, slot)); }

  void on_receive(std::uint32_t slot, const Completion& completion) {
    if (completion.result <= 0) {
      if (completion.result == -ENOBUFS) return receive(slot);
      if (completion.result != -ECANCELED) leave(slot);
      return;
    }
    Client& client = clients_[slot];
    std::span<std::byte> input = completion.bytes();
    if (client.partial.empty()) {
      on_bytes(slot, input, completion.buffer);
    } else {
      std::vector<std::byte> whole = std::exchange(client.partial, {});
      whole.insert(whole.end(), input.begin(), input.end());
      on_bytes(slot, whole, UINT16_MAX);
    }
    ring_.release(completion.buffer);
    if (!completion.more && completion.tag.generation() == client.generation) receive(slot);
  }

  void on_bytes(std::uint32_t slot, std::span<std::byte> input, std::uint16_t buffer) {
    if (is_tcp_) return messages(slot, input, buffer);
    if (clients_[slot].open) return frames(slot, input, buffer);
    const std::string_view head(reinterpret_cast<const char*>(input.data()), input.size());
    if (head.ends_with("\r\n\r\n")) return shake_hands(slot, head);
    clients_[slot].partial.assign(input.begin(), input.end());  // the end of a receive buffer
  }

  void shake_hands(std::uint32_t slot, std::string_view head) {
    constexpr std::string_view name = "Sec-WebSocket-Key: ";
    const std::size_t key = head.find(name);
    if (key == std::string_view::npos) return leave(slot);
    std::string answer;
    ringroom::codec::http::write_switching_protocols(
        answer, ringroom::codec::http::make_accept_key(head.substr(key + name.size(), 24)), {}, {});
    std::byte* copy = arena_.take(answer.size());
    std::memcpy(copy, answer.data(), answer.size());
    queue(slot, copy, answer.size());
    enter(slot, head.substr(4, head.find(' ', 4) - 4));
  }

  void enter(std::uint32_t slot, std::string_view path) {
    clients_[slot].open = true;
    if (path.find("/echo") != std::string_view::npos) return;
    Room& room = rooms_[std::string(path)];
    room.members.push_back(slot);
    clients_[slot].room = &room;
    clients_[slot].cursor = room.bytes;
    clients_[slot].said.member = ++room.members_total;
    if (path.find("/tick") != std::string_view::npos && !room.ticks) start_ticks(room);
  }

  void messages(std::uint32_t slot, std::span<std::byte> input, std::uint16_t buffer) {
    while (input.size() >= bare::length_bytes) {
      const std::size_t length = bare::read_length(input);
      if (length > message_bytes_max) return leave(slot);
      if (input.size() - bare::length_bytes < length) break;
      const std::span<std::byte> payload = input.subspan(bare::length_bytes, length);
      input = input.subspan(bare::length_bytes + length);
      if (clients_[slot].open) {
        message(slot, ws::Opcode::binary, payload, buffer);
      } else {
        std::byte* answer = arena_.take(bare::length_bytes);
        bare::write_length(answer, 0);
        queue(slot, answer, bare::length_bytes);
        enter(slot, {reinterpret_cast<const char*>(payload.data()), payload.size()});
      }
    }
    clients_[slot].partial.assign(input.begin(), input.end());
  }

  std::size_t header_bytes(std::size_t payload_bytes) const {
    return is_tcp_ ? bare::length_bytes : ws::header_bytes(payload_bytes);
  }

  void encode_header(std::byte* out, ws::Opcode opcode, std::size_t payload_bytes) const {
    if (is_tcp_) return bare::write_length(out, payload_bytes);
    ws::encode_header(out, opcode, payload_bytes);
  }

  void frames(std::uint32_t slot, std::span<std::byte> input, std::uint16_t buffer) {
    while (input.size() >= 6) {
      std::size_t length = std::to_integer<std::size_t>(input[1]) & 127U;
      std::size_t header = 6;
      if (length == 126) {
        length =
            std::to_integer<std::size_t>(input[2]) << 8U | std::to_integer<std::size_t>(input[3]);
        header = 8;
      } else if (length == 127) {
        return leave(slot);
      }
      if (input.size() < header + length) break;
      std::byte* payload = input.data() + header;
      ws::unmask(payload, length, ws::load_mask_key(payload - 4));
      const auto opcode = static_cast<ws::Opcode>(std::to_integer<std::uint8_t>(input[0]) & 15U);
      input = input.subspan(header + length);
      if (opcode == ws::Opcode::close) return say_goodbye(slot, {payload, length});
      message(slot, opcode, {payload, length}, buffer);
    }
    clients_[slot].partial.assign(input.begin(), input.end());
  }

  // The close frame's echo leaves with this turn, the client with the next.
  void say_goodbye(std::uint32_t slot, std::span<const std::byte> payload) {
    std::byte* frame = arena_.take(2 + payload.size());
    ws::encode_header(frame, ws::Opcode::close, payload.size());
    std::memcpy(frame + 2, payload.data(), payload.size());
    queue(slot, frame, 2 + payload.size());
    leaving_.emplace_back(slot, clients_[slot].generation);
  }

  void message(std::uint32_t slot,
               ws::Opcode opcode,
               std::span<std::byte> payload,
               std::uint16_t buffer) {
    Client& client = clients_[slot];
    const std::size_t header = header_bytes(payload.size());
    if (client.room != nullptr && client.room->ticks) return keep(client.said, payload);
    if (client.room != nullptr) return relay(slot, *client.room, opcode, payload);
    if (payload.size() >= 2048 && buffer != UINT16_MAX) {
      encode_header(payload.data() - header, opcode, payload.size());
      ring_.hold(buffer);
      held_.push_back(buffer);
      return queue(slot, payload.data() - header, header + payload.size());
    }
    std::byte* frame = arena_.take(header + payload.size());
    encode_header(frame, opcode, payload.size());
    std::memcpy(frame + header, payload.data(), payload.size());
    queue(slot, frame, header + payload.size());
  }

  static void keep(Said& said, std::span<const std::byte> payload) {
    if (payload.size() > said.bytes.size()) return;
    said.size = static_cast<std::uint16_t>(payload.size());
    std::copy(payload.begin(), payload.end(), said.bytes.begin());
  }

  void relay(std::uint32_t slot, Room& room, ws::Opcode opcode, std::span<std::byte> payload) {
    Client& client = clients_[slot];
    const std::size_t header = header_bytes(payload.size());
    const std::size_t bytes = header + payload.size();
    if (room.bytes == 0) logged_.push_back(&room);
    if (client.cursor < room.bytes) {
      queue(slot, room.log + client.cursor, room.bytes - client.cursor);
    }
    if (room.capacity - room.bytes < bytes) {
      room.capacity = std::max<std::size_t>(2048, (room.bytes + bytes) * 2);
      std::byte* larger = arena_.take(room.capacity);
      if (room.bytes > 0) std::memcpy(larger, room.log, room.bytes);
      room.log = larger;
    }
    encode_header(room.log + room.bytes, opcode, payload.size());
    std::memcpy(room.log + room.bytes + header, payload.data(), payload.size());
    room.bytes += bytes;
    client.cursor = room.bytes;
  }

  void queue(std::uint32_t slot, std::byte* data, std::size_t bytes) {
    Client& client = clients_[slot];
    if (!client.dirty) dirty_.push_back(slot);
    client.dirty = true;
    if (!client.pieces.empty() && client.pieces.back().data + client.pieces.back().bytes == data) {
      client.pieces.back().bytes += bytes;
    } else {
      client.pieces.push_back({data, bytes});
    }
  }

  void flush() {
    for (Room* room : logged_) {
      for (const std::uint32_t slot : room->members) {
        Client& client = clients_[slot];
        const std::size_t start = std::exchange(client.cursor, 0);
        if (start >= room->bytes) continue;
        if (client.dirty) {
          queue(slot, room->log + start, room->bytes - start);
        } else {
          ring_.send(slot, {room->log + start, room->bytes - start}, tag(Op::send, slot));
        }
      }
    }
    for (const std::uint32_t slot : dirty_) {
      Client& client = clients_[slot];
      client.dirty = false;
      vectors_.clear();
      for (const Piece& piece : client.pieces) vectors_.push_back({piece.data, piece.bytes});
      client.pieces.clear();
      if (vectors_.size() == 1) {
        ring_.send(slot, {static_cast<std::byte*>(vectors_[0].iov_base), vectors_[0].iov_len},
                   tag(Op::send, slot));
      } else if (!vectors_.empty()) {
        ring_.send_gathered(slot, vectors_, tag(Op::send, slot));
      }
    }
    dirty_.clear();
  }

  void leave(std::uint32_t slot) {
    Client& client = clients_[slot];
    if (client.room != nullptr) std::erase(client.room->members, slot);
    ring_.close(slot, Tag::of(Op::ignored, slot));
    const std::uint32_t next = (client.generation + 1) & Tag::generation_mask;
    client = {};
    client.generation = next;
  }

  static constexpr std::uint32_t message_bytes_max = std::uint32_t{1} << 20U;  // of TCP
  static constexpr std::uint64_t phase_ns = 1'000'000;

  Ring& ring_;
  const bool is_tcp_;
  std::vector<Client> clients_;
  std::unordered_map<std::string, Room> rooms_;
  std::array<std::vector<Room*>, 50> phases_;  // whose rooms tick one after the other, at 20 Hz
  std::size_t phase_ = 0;
  std::uint64_t next_phase_ns_ = UINT64_MAX;
  std::vector<Completion> completions_;
  std::vector<std::uint32_t> dirty_;
  std::vector<Room*> logged_;
  std::vector<std::pair<std::uint32_t, std::uint32_t>> leaving_;
  std::vector<std::uint16_t> held_;
  std::vector<iovec> vectors_;
  ringroom::base::Arena arena_;
};

int listen_on(int port) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0 ||
      listen(listener, 4096) != 0) {
    std::perror("bare_server");
    std::exit(1);
  }
  return listener;
}

}  // namespace

int main(int argc, char** argv) {
  const bool is_tcp = argc == 3 && std::string_view(argv[2]) == "tcp";
  if (argc != 2 && !is_tcp) {
    std::fprintf(stderr, "usage: bare_server PORT [tcp]\n");
    return 2;
  }
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  ringroom::reactor::RingFailure failure;
  const auto ring = Ring::make(
      {.files_max = static_cast<std::uint32_t>(std::min<rlim_t>(files.rlim_max, 1 << 20)),
       .features_allowed = std::nullopt},
      failure);
  if (ring == nullptr) {
    std::fprintf(stderr, "bare_server: %s\n", failure.message.c_str());
    return 1;
  }
  Bare(*ring, listen_on(std::atoi(argv[1])), is_tcp).run();
}
