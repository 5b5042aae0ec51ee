// Crowd: the connections of one thread of the load, on its ring: opens and upgrades them, takes
// their frames apart, sends, closes, and tells its Play what happens. Made and used by that thread.
// Bounded by RingOptions::files_max connections, a backlog of backlog_bytes_max for each whose
// server doesn't read, and codec::ws for what arrives.
#pragma once

#include "base/arena.h"
#include "base/random.h"
#include "codec/http/client_upgrade.h"
#include "codec/http/upgrade.h"
#include "codec/ws/decoder.h"
#include "codec/ws/encoder.h"
#include "load/bare.h"
#include "load/histogram.h"
#include "load/play.h"
#include "load/tally.h"
#include "load/target.h"
#include "reactor/ring.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <sys/uio.h>

namespace ringroom::load {

/// One connection. Its place in the crowd is also its file on the ring. A power of two in size: its
/// place is asked for with every message.
struct alignas(64) Client {
  enum class State : std::uint8_t {
    free,        // no socket
    connecting,  // TCP
    upgrading,   // the request is out
    open,
    closing,   // our close frame is out
    shutting,  // the ring closes the socket
  };
  static constexpr std::uint32_t none = UINT32_MAX;

  /// What only few have: bytes that the kernel didn't take, or what came in part.
  struct Rest {
    std::vector<std::byte> sending;  // belongs to the kernel until its completion
    std::vector<std::byte> waiting;
    std::vector<std::byte> received;  // of an answer, or of a message over bare TCP
  };

  std::uint32_t index = 0;  // in the whole run
  std::uint32_t room = 0;
  std::uint32_t generation = 0;
  State state = State::free;
  bool receiving = false;
  std::uint32_t first_piece = none;
  std::uint32_t last_piece = none;
  std::uint32_t progress = none;  // place in Crowd::in_progress_
  std::uint64_t turn = 0;         // of the pieces
  std::uint64_t since_ns = 0;     // of the connect
  codec::ws::Decoder decoder;
  std::unique_ptr<Rest> rest;
};
static_assert(sizeof(Client) == 128);

struct CrowdOptions {
  Target target;
  std::vector<SourceRange> sources;
  // Threads take sources in turn: this one begins with the first and takes every step-th.
  std::uint64_t first_source = 0;
  std::uint64_t source_step = 1;
  std::uint64_t handshake_timeout_ns = 10'000'000'000;
  bool reset_on_close = false;
};

class Crowd {
 public:
  static constexpr std::size_t backlog_bytes_max = std::size_t{1} << 20U;
  static constexpr std::size_t message_bytes_max = std::size_t{64} << 20U;
  static constexpr codec::ws::DecoderOptions decoder_options{.message_bytes_max = message_bytes_max,
                                                             .role = codec::ws::Role::client};

  Crowd(reactor::Ring& ring, CrowdOptions options);

  /// Before the first turn.
  void set_play(Play& play) { play_ = &play; }
  std::uint32_t add(std::uint32_t index, std::uint32_t room);
  std::size_t size() const { return clients_.size(); }
  Client& client(std::uint32_t slot) { return clients_[slot]; }
  const Client& client(std::uint32_t slot) const { return clients_[slot]; }
  std::uint32_t slot_of(const Client& client) const {
    return static_cast<std::uint32_t>(&client - clients_.data());
  }

  /// Of a free one. What comes of it the play is told, always.
  void open(Client& client);
  /// Where the payload of a message of an open one is to be written, before anything else is asked
  /// of the crowd, and the key to mask it with (0 over bare TCP). It leaves at the end of the turn.
  struct Outgoing {
    std::byte* payload;  ///< null: it reads so slowly that nothing more is kept for it
    codec::ws::MaskKey key;
  };
  [[gnu::always_inline]] Outgoing queue(Client& client,
                                        codec::ws::Opcode opcode,
                                        std::size_t bytes) {
    if (options_.target.is_bare) [[unlikely]]
      return queue_bare(client, bytes);
    std::byte* frame = reserve(client, codec::ws::masked_header_bytes(bytes) + bytes);
    if (frame == nullptr) [[unlikely]]
      return {nullptr, 0};
    const auto key = static_cast<codec::ws::MaskKey>(random_.next());
    return {frame + codec::ws::encode_masked_header(frame, opcode, bytes, key), key};
  }
  /// The same with a copy of this payload. False: it isn't kept.
  bool send(Client& client, codec::ws::Opcode opcode, std::span<const std::byte> payload);
  /// Sends a close frame; the server's answer ends the connection. Over bare TCP as drop().
  void close(Client& client, std::uint16_t code);
  /// Ends it at once.
  void drop(Client& client);

  /// Takes apart what came from one whose handshake is done, and gives each message to `on_message`
  /// (opcode, payload), while it is open.
  template <typename OnMessage>
  [[gnu::always_inline]] void read(Client& client,
                                   std::span<std::byte> bytes,
                                   std::uint64_t now_ns,
                                   OnMessage on_message) {
    const std::uint32_t generation = client.generation;
    do {
      const codec::ws::Event event = client.decoder.next(bytes, decoder_options);
      if (event.kind == codec::ws::Event::Kind::message && client.state == Client::State::open)
          [[likely]] {
        on_message(event.opcode, event.payload);
      } else if (event.kind == codec::ws::Event::Kind::need_more) {
        return;
      } else {
        on_event(client, event, now_ns);
      }
    } while (client.generation == generation);
  }

  /// One turn: what has come, what the play has due, what is to be sent; waits until `deadline_ns`
  /// at most, or not at all if it is 0. Returns how many completions there were.
  std::size_t turn(std::uint64_t deadline_ns, bool gather);

  /// That are open now.
  std::uint32_t opened() const { return open_; }
  /// That have a socket.
  std::uint32_t busy() const { return busy_; }
  std::uint32_t in_progress() const { return static_cast<std::uint32_t>(in_progress_.size()); }
  std::uint64_t now_ns() const { return ring_.now_ns(); }
  Tally& tally() { return tally_; }
  const FaultExamples& examples() const { return examples_; }
  /// From the begin of the TCP connect to the 101.
  Histogram& handshake_latency() { return handshake_latency_; }
  void note(Fault fault, std::string_view example);

 private:
  // Bytes that the kernel may still read after their connection is closed.
  struct Orphan {
    reactor::Tag tag;
    std::vector<std::byte> bytes;
  };
  struct Piece {
    std::byte* begin;
    std::byte* end;
    std::uint32_t next;

    std::size_t bytes() const { return static_cast<std::size_t>(end - begin); }
  };

  // ---- crowd.cc
  void dispatch(const reactor::Completion& completion);
  void on_receive(Client& client, const reactor::Completion& completion);
  void on_bytes(Client& client, std::span<std::byte> bytes, std::uint64_t now_ns);
  void on_bare_bytes(Client& client, std::span<std::byte> bytes, std::uint64_t now_ns);
  void on_event(Client& client, const codec::ws::Event& event, std::uint64_t now_ns);
  void on_close_frame(Client& client, const codec::ws::Event& event);
  void on_end(Client& client, int error);
  void arm(Client& client);
  void arm_starved();
  reactor::Tag tag(reactor::Op op, const Client& client) const;

  // ---- crowd_connect.cc
  void on_connected(Client& client, int result);
  void on_answer(Client& client, std::span<std::byte> bytes, std::uint64_t now_ns);
  codec::http::UpgradeAnswer read_answer(std::span<const std::byte> bytes) const;
  void on_closed(Client& client);
  void fail(Client& client, Fault fault, std::string_view example);
  void tell_gone();
  void give_up_late(std::uint64_t now_ns);
  void leave_progress(Client& client);

  // ---- crowd_send.cc
  Outgoing queue_bare(Client& client, std::size_t bytes);
  [[gnu::always_inline]] std::byte* reserve(Client& client, std::size_t bytes) {
    if (client.rest != nullptr && !client.rest->sending.empty()) [[unlikely]] {
      return reserve_rest(client, bytes);
    }
    std::byte* taken = arena_.take(bytes);
    if (client.turn == turn_) {
      Piece& last = pieces_[client.last_piece];
      if (last.end == taken) {
        last.end += bytes;
        return taken;
      }
    }
    begin_piece(client, taken, taken + bytes);
    return taken;
  }
  void begin_piece(Client& client, std::byte* begin, std::byte* end);
  std::byte* reserve_rest(Client& client, std::size_t bytes);
  void settle(const reactor::Completion& completion);
  void on_rest_sent(Client& client, const reactor::Completion& completion);
  void send_rest(Client& client);
  void flush();
  void flush(Client& client);

  reactor::Ring& ring_;
  CrowdOptions options_;
  Play* play_ = nullptr;
  base::Random random_;
  std::string key_;
  codec::http::AcceptKey accept_key_;
  std::vector<Client> clients_;
  std::vector<std::uint32_t> in_progress_;
  std::vector<std::uint32_t> starved_;
  std::vector<std::uint32_t> dirty_;
  std::vector<std::uint32_t> gone_;  // never had a socket; the play isn't told yet
  std::vector<Orphan> orphans_;
  std::vector<Piece> pieces_;
  std::vector<iovec> vectors_;
  std::vector<reactor::Completion> completions_;
  base::Arena arena_;
  std::string request_;
  std::uint64_t sources_used_ = 0;
  std::uint64_t next_look_ns_ = 0;
  std::uint64_t reaped_ns_ = 0;  // when all that this turn looks at had come
  std::uint64_t turn_ = 1;
  std::uint32_t open_ = 0;
  std::uint32_t busy_ = 0;
  Tally tally_;
  FaultExamples examples_;
  Histogram handshake_latency_;
};

}  // namespace ringroom::load
