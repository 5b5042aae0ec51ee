// What a crowd sends: frames of a turn leave in one send per connection, and what the kernel
// doesn't take is kept, up to a bound.
#include "load/crowd.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace ringroom::load {

using reactor::Completion;
using reactor::Op;

Crowd::Outgoing Crowd::queue_bare(Client& client, std::size_t bytes) {
  std::byte* message = reserve(client, bare::length_bytes + bytes);
  if (message == nullptr) return {nullptr, 0};
  bare::write_length(message, bytes);
  return {message + bare::length_bytes, 0};
}

bool Crowd::send(Client& client, codec::ws::Opcode opcode, std::span<const std::byte> payload) {
  const Outgoing out = queue(client, opcode, payload.size());
  if (out.payload == nullptr) return false;
  if (payload.empty()) return true;
  std::memcpy(out.payload, payload.data(), payload.size());
  codec::ws::unmask(out.payload, payload.size(), out.key);
  return true;
}

void Crowd::begin_piece(Client& client, std::byte* begin, std::byte* end) {
  const auto piece = static_cast<std::uint32_t>(pieces_.size());
  pieces_.push_back({begin, end, Client::none});
  if (client.turn == turn_) {
    pieces_[client.last_piece].next = piece;
  } else {
    client.turn = turn_;
    client.first_piece = piece;
    dirty_.push_back(slot_of(client));
  }
  client.last_piece = piece;
}

std::byte* Crowd::reserve_rest(Client& client, std::size_t bytes) {
  std::vector<std::byte>& waiting = client.rest->waiting;
  if (waiting.size() + bytes > backlog_bytes_max) return nullptr;
  waiting.resize(waiting.size() + bytes);
  return waiting.data() + waiting.size() - bytes;
}

void Crowd::flush() {
  for (const std::uint32_t slot : dirty_) flush(clients_[slot]);
  dirty_.clear();
}

void Crowd::flush(Client& client) {
  if (client.state == Client::State::shutting || client.state == Client::State::free) return;
  const Piece& first = pieces_[client.first_piece];
  if (first.next == Client::none) {
    return ring_.send(slot_of(client), {first.begin, first.end}, tag(Op::send, client));
  }
  vectors_.clear();
  for (std::uint32_t at = client.first_piece; at != Client::none; at = pieces_[at].next) {
    vectors_.push_back({pieces_[at].begin, pieces_[at].bytes()});
  }
  ring_.send_gathered(slot_of(client), vectors_, tag(Op::send, client));
}

// Of a send of the last turn: the kernel took part of it or nothing.
void Crowd::settle(const Completion& completion) {
  Client& client = clients_[completion.tag.slot()];
  if (completion.tag.generation() != client.generation) return;
  if (completion.result < 0 && completion.result != -EAGAIN) {
    return fail(client, Fault::closed, std::strerror(-completion.result));
  }
  auto taken = static_cast<std::size_t>(std::max(completion.result, 0));
  if (client.rest == nullptr) client.rest = std::make_unique<Client::Rest>();
  std::vector<std::byte>& sending = client.rest->sending;
  for (std::uint32_t at = client.first_piece; at != Client::none; at = pieces_[at].next) {
    const Piece& piece = pieces_[at];
    const std::size_t skipped = std::min(taken, piece.bytes());
    taken -= skipped;
    sending.insert(sending.end(), piece.begin + skipped, piece.end);
  }
  if (!sending.empty()) send_rest(client);
}

void Crowd::send_rest(Client& client) {
  ring_.send_rest(slot_of(client), client.rest->sending, tag(Op::send_rest, client));
}

void Crowd::on_rest_sent(Client& client, const Completion& completion) {
  Client::Rest& rest = *client.rest;
  const std::size_t bytes = rest.sending.size();
  rest.sending.clear();
  if (completion.result < 0 || static_cast<std::size_t>(completion.result) < bytes) {
    const int error = completion.result < 0 ? -completion.result : EPIPE;
    return fail(client, Fault::closed, std::strerror(error));
  }
  if (rest.waiting.empty()) return;
  std::swap(rest.sending, rest.waiting);
  send_rest(client);
}

}  // namespace ringroom::load
