// One turn of a crowd, and what comes in.
#include "load/crowd.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace ringroom::load {

using codec::ws::Event;
using codec::ws::Opcode;
using reactor::Completion;
using reactor::Op;
using reactor::Tag;
using State = Client::State;

namespace {

constexpr std::uint16_t normal_closure = 1000;

std::string make_key(base::Random& random) {
  const std::array<std::uint64_t, 2> words = {random.next(), random.next()};
  return codec::http::make_websocket_key(std::as_bytes(std::span(words)));
}

}  // namespace

Crowd::Crowd(reactor::Ring& ring, CrowdOptions options)
    : ring_(ring),
      options_(std::move(options)),
      random_(base::Random::from_kernel()),
      key_(make_key(random_)),
      accept_key_(codec::http::make_accept_key(key_)),
      sources_used_(options_.first_source) {}

std::uint32_t Crowd::add(std::uint32_t index, std::uint32_t room) {
  Client& client = clients_.emplace_back();
  client.index = index;
  client.room = room;
  return slot_of(client);
}

Tag Crowd::tag(Op op, const Client& client) const {
  return Tag::of(op, slot_of(client), client.generation);
}

std::size_t Crowd::turn(std::uint64_t deadline_ns, bool gather) {
  flush();
  if (!in_progress_.empty()) deadline_ns = std::min(deadline_ns, next_look_ns_);
  if (!gone_.empty()) deadline_ns = 0;
  ring_.submit_and_wait(deadline_ns, gather ? reactor::Ring::busy_gather_ns : 0);
  completions_.clear();
  ring_.reap(completions_);
  reaped_ns_ = ring_.now_ns();
  // What the kernel didn't take of the last turn's sends lies in memory that this turn will use.
  for (const Completion& completion : completions_) {
    if (completion.tag.op() == Op::send) settle(completion);
  }
  ++turn_;
  pieces_.clear();
  arena_.reset();
  for (const Completion& completion : completions_) dispatch(completion);
  if (ring_.take_refilled()) arm_starved();
  tell_gone();
  if (!in_progress_.empty()) give_up_late(now_ns());
  return completions_.size();
}

void Crowd::dispatch(const Completion& completion) {
  const Op op = completion.tag.op();
  if (op == Op::send || op == Op::ignored) return;
  Client& client = clients_[completion.tag.slot()];
  if (completion.tag.generation() != client.generation) {
    if (completion.has_buffer) ring_.release(completion.buffer);
    if (op != Op::send_rest) return;
    std::erase_if(orphans_, [&completion](const Orphan& orphan) {
      return orphan.tag.bits == completion.tag.bits;
    });
    return;
  }
  switch (op) {
    case Op::connect: return on_connected(client, completion.result);
    case Op::receive: return on_receive(client, completion);
    case Op::send_rest: return on_rest_sent(client, completion);
    case Op::close: return on_closed(client);
    default: return;
  }
}

void Crowd::arm(Client& client) {
  client.receiving = true;
  ring_.receive(slot_of(client), tag(Op::receive, client));
}

void Crowd::arm_starved() {
  for (const std::uint32_t slot : std::exchange(starved_, {})) {
    Client& client = clients_[slot];
    const bool speaks = client.state >= State::upgrading && client.state <= State::closing;
    if (speaks && !client.receiving) arm(client);
  }
}

void Crowd::on_receive(Client& client, const Completion& completion) {
  const std::uint32_t generation = client.generation;
  if (!completion.more) client.receiving = false;
  if (completion.result > 0) {
    on_bytes(client, completion.bytes(), reaped_ns_);
    ring_.release(completion.buffer);
    if (!completion.more && client.generation == generation) arm(client);
  } else if (completion.result == -ENOBUFS) {
    starved_.push_back(slot_of(client));
  } else if (completion.result != -ECANCELED) {
    on_end(client, -completion.result);
  }
}

void Crowd::on_bytes(Client& client, std::span<std::byte> bytes, std::uint64_t now_ns) {
  if (client.state == State::upgrading) return on_answer(client, bytes, now_ns);
  if (options_.target.is_bare) return on_bare_bytes(client, bytes, now_ns);
  play_->on_bytes(client, bytes, now_ns);
}

void Crowd::on_bare_bytes(Client& client, std::span<std::byte> bytes, std::uint64_t now_ns) {
  std::vector<std::byte> whole;
  if (client.rest != nullptr && !client.rest->received.empty()) {
    whole = std::exchange(client.rest->received, {});
    whole.insert(whole.end(), bytes.begin(), bytes.end());
    bytes = whole;
  }
  const std::uint32_t generation = client.generation;
  while (bytes.size() >= bare::length_bytes) {
    const std::size_t length = bare::read_length(bytes);
    if (length > message_bytes_max) return fail(client, Fault::protocol, "a message is too long");
    if (bytes.size() - bare::length_bytes < length) break;
    play_->on_message(client, Opcode::binary, bytes.subspan(bare::length_bytes, length), now_ns);
    if (client.generation != generation) return;
    bytes = bytes.subspan(bare::length_bytes + length);
  }
  if (bytes.empty()) return;
  if (client.rest == nullptr) client.rest = std::make_unique<Client::Rest>();
  client.rest->received.assign(bytes.begin(), bytes.end());
}

void Crowd::on_event(Client& client, const Event& event, std::uint64_t now_ns) {
  switch (event.kind) {
    case Event::Kind::ping:
      if (client.state != State::open) return;
      send(client, Opcode::pong, event.payload);
      return;
    case Event::Kind::pong:
      if (client.state == State::open) play_->on_pong(client, now_ns);
      return;
    case Event::Kind::close: return on_close_frame(client, event);
    case Event::Kind::error: return fail(client, Fault::protocol, event.reason);
    case Event::Kind::message:  // behind our close frame
    case Event::Kind::need_more: return;
  }
}

void Crowd::on_close_frame(Client& client, const Event& event) {
  if (client.state == State::closing) return drop(client);
  std::string said = "close code " + std::to_string(event.close_code);
  if (!event.reason.empty()) said += ": " + std::string(event.reason);
  note(Fault::closed, said);
  close(client, normal_closure);  // the server ends the connection when it has it
}

void Crowd::on_end(Client& client, int error) {
  if (client.state == State::closing) return drop(client);
  const std::string how = error == 0 ? "the connection ended" : std::strerror(error);
  if (client.state == State::upgrading) {
    return fail(client, Fault::handshake, how + " before the answer");
  }
  fail(client, Fault::closed, how + " without a close frame");
}

void Crowd::note(Fault fault, std::string_view example) {
  tally_.add(fault);
  std::string& kept = examples_[static_cast<std::size_t>(fault)];
  if (kept.empty()) kept = example;
}

}  // namespace ringroom::load
