#include "far_server.h"

#include "codec/http/upgrade.h"
#include "codec/ws/close.h"
#include "codec/ws/encoder.h"

#include <array>
#include <cstring>
#include <utility>

namespace ringroom::sim {

namespace ws = codec::ws;

FarServer::FarServer(SimWorld& world) : world_(world) {
  world.set_remote([this](SimClient end) {
    if (refuses_) return false;
    guests_.push_back(std::make_shared<Guest>());
    guests_.back()->end = std::move(end);
    return true;
  });
  world.set_while_waiting([this](int) { read_all(); });
}

void FarServer::read_all() {
  for (const auto& guest : guests_) read(*guest);
  std::erase_if(guests_, [](const auto& guest) { return guest->gone || guest->end.is_closed(); });
}

void FarServer::read(Guest& guest) {
  std::vector<std::byte> bytes = guest.end.read();
  if (bytes.empty()) return;
  if (!guest.open) {
    guest.head.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return upgrade(guest);
  }
  std::span<std::byte> input = bytes;
  for (;;) {
    const ws::Event event = guest.decoder.next(input, {});
    if (event.kind == ws::Event::Kind::need_more) return;
    take(guest, event);
  }
}

void FarServer::upgrade(Guest& guest) {
  constexpr std::string_view name = "Sec-WebSocket-Key: ";
  const std::size_t key = guest.head.find(name);
  if (!guest.head.ends_with("\r\n\r\n") || key == std::string::npos) return;
  if (answers_) return guest.end.write(answer_);
  std::string answer;
  codec::http::write_switching_protocols(
      answer, codec::http::make_accept_key(guest.head.substr(key + name.size(), 24)), {}, {});
  guest.open = true;
  guest.end.write(answer);
}

void FarServer::take(Guest& guest, const ws::Event& event) {
  switch (event.kind) {
    case ws::Event::Kind::message: return message(guest, event);
    case ws::Event::Kind::ping: ++pings_; return write(guest, ws::Opcode::pong, event.payload);
    case ws::Event::Kind::close:
      write(guest, ws::Opcode::close, event.payload);
      guest.gone = true;
      return guest.end.close();
    default: return;
  }
}

void FarServer::message(Guest& from, const ws::Event& event) {
  const std::uint64_t number = messages_++;
  if (number >= close_at_) {
    std::array<std::byte, ws::control_payload_bytes_max> payload{};
    const std::size_t bytes = ws::encode_close_payload(payload.data(), 1001, "going home");
    return write(from, ws::Opcode::close, std::span(payload).first(bytes));
  }
  std::vector<Delivery> deliveries;
  if (habit_) {
    deliveries = habit_(event.payload, number);
  } else {
    deliveries.push_back({0, {event.payload.begin(), event.payload.end()}});
  }
  for (Delivery& delivery : deliveries) {
    for (const auto& guest : guests_) {
      if (relays_ == (guest.get() == &from)) continue;
      world_.at(world_.now_ns() + delivery.delay_ns,
                [guest, opcode = event.opcode, bytes = delivery.bytes] {
                  if (!guest->gone) write(*guest, opcode, bytes);
                });
    }
  }
}

void FarServer::write(Guest& to, ws::Opcode opcode, std::span<const std::byte> bytes) {
  std::vector<std::byte> frame(ws::header_bytes(bytes.size()) + bytes.size());
  const std::size_t header = ws::encode_header(frame.data(), opcode, bytes.size());
  if (!bytes.empty()) std::memcpy(frame.data() + header, bytes.data(), bytes.size());
  to.end.write(frame);
}

}  // namespace ringroom::sim
