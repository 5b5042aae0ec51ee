// How connections of a crowd begin and end.
#include "load/crowd.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace ringroom::load {

using codec::http::UpgradeAnswer;
using reactor::Op;
using reactor::Tag;
using State = Client::State;

namespace {

constexpr std::size_t answer_bytes_max = std::size_t{16} << 10U;
constexpr std::uint64_t look_every_ns = 100'000'000;

}  // namespace

void Crowd::open(Client& client) {
  reactor::ConnectOptions options{.source = std::nullopt,
                                  .reset_on_close = options_.reset_on_close};
  if (!options_.sources.empty()) {
    const std::uint64_t turn = std::exchange(sources_used_, sources_used_ + options_.source_step);
    const SourceRange& range = options_.sources[turn % options_.sources.size()];
    options.source = range.at(turn / options_.sources.size());
  }
  client.since_ns = now_ns();
  ++busy_;
  const int result =
      ring_.connect(slot_of(client), options_.target.address, options, tag(Op::connect, client));
  if (result < 0) {
    note(Fault::connect, std::strerror(-result));
    client.state = State::shutting;
    gone_.push_back(slot_of(client));
    return;
  }
  client.state = State::connecting;
  client.progress = in_progress();
  if (in_progress_.empty()) next_look_ns_ = client.since_ns + look_every_ns;
  in_progress_.push_back(slot_of(client));
}

void Crowd::leave_progress(Client& client) {
  const std::uint32_t place = std::exchange(client.progress, Client::none);
  if (place == Client::none) return;
  const std::uint32_t last = in_progress_.back();
  in_progress_[place] = last;
  clients_[last].progress = last == slot_of(client) ? Client::none : place;
  in_progress_.pop_back();
}

void Crowd::on_connected(Client& client, int result) {
  if (result < 0) return fail(client, Fault::connect, std::strerror(-result));
  client.state = State::upgrading;
  const std::string path = options_.target.path_of(client.room, client.index);
  arm(client);
  if (options_.target.is_bare) {
    send(client, codec::ws::Opcode::binary, std::as_bytes(std::span(path)));
    return;
  }
  request_.clear();
  codec::http::write_upgrade_request(request_, options_.target.host, path, key_,
                                     options_.target.headers);
  std::memcpy(reserve(client, request_.size()), request_.data(), request_.size());
}

UpgradeAnswer Crowd::read_answer(std::span<const std::byte> bytes) const {
  if (!options_.target.is_bare) return codec::http::read_upgrade_answer(bytes, accept_key_);
  UpgradeAnswer answer;
  if (bytes.size() < bare::length_bytes) return answer;
  const bool is_empty = bare::read_length(bytes) == 0;
  answer.kind = is_empty ? UpgradeAnswer::Kind::accepted : UpgradeAnswer::Kind::invalid;
  if (!is_empty) answer.problem = "the answer to the path is not an empty message";
  answer.head_bytes = bare::length_bytes;
  return answer;
}

void Crowd::on_answer(Client& client, std::span<std::byte> bytes, std::uint64_t now_ns) {
  std::vector<std::byte> whole;
  if (client.rest != nullptr && !client.rest->received.empty()) {
    whole = std::exchange(client.rest->received, {});
    whole.insert(whole.end(), bytes.begin(), bytes.end());
    bytes = whole;
  }
  const UpgradeAnswer answer = read_answer(bytes);
  switch (answer.kind) {
    case UpgradeAnswer::Kind::need_more:
      if (bytes.size() > answer_bytes_max) {
        return fail(client, Fault::handshake, "the answer's head is larger than 16 KiB");
      }
      if (client.rest == nullptr) client.rest = std::make_unique<Client::Rest>();
      client.rest->received.assign(bytes.begin(), bytes.end());
      return;
    case UpgradeAnswer::Kind::refused:
    case UpgradeAnswer::Kind::invalid: return fail(client, Fault::handshake, answer.problem);
    case UpgradeAnswer::Kind::accepted: break;
  }
  leave_progress(client);
  client.state = State::open;
  ++open_;
  ++tally_.handshakes;
  handshake_latency_.add(now_ns - client.since_ns);
  const std::uint32_t generation = client.generation;
  play_->on_open(client, now_ns);
  bytes = bytes.subspan(answer.head_bytes);
  if (!bytes.empty() && client.generation == generation) on_bytes(client, bytes, now_ns);
}

void Crowd::close(Client& client, std::uint16_t code) {
  if (client.state != State::open) return;
  if (options_.target.is_bare) return drop(client);
  const std::array payload = {static_cast<std::byte>(code >> 8U),
                              static_cast<std::byte>(code & 0xffU)};
  if (!send(client, codec::ws::Opcode::close, payload)) return drop(client);
  --open_;
  client.state = State::closing;
}

void Crowd::drop(Client& client) {
  if (client.state == State::free || client.state == State::shutting) return;
  if (client.state == State::open) --open_;
  leave_progress(client);
  std::array<Tag, 2> requests{};
  std::size_t count = 0;
  if (client.state == State::connecting) requests[count++] = tag(Op::connect, client);
  if (client.receiving) requests[count++] = tag(Op::receive, client);
  if (client.rest != nullptr && !client.rest->sending.empty()) {
    requests[count++] = tag(Op::send_rest, client);
    orphans_.push_back({tag(Op::send_rest, client), std::move(client.rest->sending)});
  }
  client.state = State::shutting;
  client.receiving = false;
  client.generation = (client.generation + 1) & Tag::generation_mask;
  ring_.close(slot_of(client), std::span(requests).first(count), tag(Op::close, client));
}

void Crowd::on_closed(Client& client) {
  client.state = State::free;
  --busy_;
  client.decoder = {};
  client.rest.reset();
  play_->on_gone(client, now_ns());
}

void Crowd::tell_gone() {
  for (const std::uint32_t slot : std::exchange(gone_, {})) on_closed(clients_[slot]);
}

void Crowd::fail(Client& client, Fault fault, std::string_view example) {
  note(fault, example);
  drop(client);
}

void Crowd::give_up_late(std::uint64_t now_ns) {
  if (now_ns < next_look_ns_) return;
  next_look_ns_ = now_ns + look_every_ns;
  for (std::size_t i = in_progress_.size(); i > 0; --i) {
    Client& client = clients_[in_progress_[i - 1]];
    if (now_ns - client.since_ns < options_.handshake_timeout_ns) continue;
    const bool connecting = client.state == State::connecting;
    fail(client, Fault::handshake_timeout, connecting ? "no TCP connection" : "no answer");
  }
}

}  // namespace ringroom::load
