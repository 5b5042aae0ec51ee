#include "load/complete.h"

#include <ringroom/limits.h>

#include "codec/envelope/negotiation.h"
#include "load/stamp.h"

#include <algorithm>

namespace ringroom::load {

namespace {

std::string complete_game(Plan& plan, const Given& given) {
  constexpr std::uint32_t tick_bytes_max = 64;  // of a message that TickRoom keeps
  if (!given.has_rooms) plan.rooms = 1000;
  if (plan.members == 0) plan.members = 10;
  if (plan.members < 2) return "--members must be at least 2";
  if (plan.rate != 0) return "--rate is not of the scenario game: there are --inputs and --step";
  if (plan.step_ns < 300'000'000) return "--step-duration must be at least 300ms";
  if (plan.game_form == GameForm::tick && (plan.text || plan.sizes.most > tick_bytes_max)) {
    return "--game tick sends binary messages of at most 64 bytes";
  }
  const std::uint64_t connections = std::uint64_t{plan.rooms} * plan.members;
  if (connections > 10'000'000) return "--rooms times --members is too many players";
  plan.connections = static_cast<std::uint32_t>(connections);
  plan.rate = static_cast<double>(connections) * plan.inputs_hz;
  plan.warm_up_ns = 0;
  plan.duration_ns = plan.steps() * plan.step_ns;
  return {};
}

std::string complete_rooms(Plan& plan, const Given& given) {
  if (given.has_share) plan.rooms = std::max(plan.connections / plan.members, 1U);
  if (plan.senders > plan.members) return "--senders can't be more than --members";
  if (plan.members < 2 && !plan.includes_sender && plan.scenario != Scenario::agents) {
    return "--members must be at least 2: nobody else would get a message";
  }
  const std::uint64_t connections = std::uint64_t{plan.rooms} * plan.members;
  if (connections > 100'000'000) return "--rooms times --members is too many connections";
  plan.connections = static_cast<std::uint32_t>(connections);
  return {};
}

std::string complete_envelopes(Plan& plan) {
  if (plan.envelopes == BatchFormat::none) {
    if (plan.batched > 1) return "--batched is of envelopes: --batch, or the scenario batch";
    plan.batched = 1;
    return {};
  }
  if (plan.batched == 0) plan.batched = 1;
  const bool is_flat = plan.envelopes == BatchFormat::flatbuffers;
  if (!is_flat) plan.text = true;
  if (plan.batched > limits::envelope_messages_max) {
    return "--batched can't be more than " + std::to_string(limits::envelope_messages_max);
  }
  const bool is_fit = plan.scenario == Scenario::echo || plan.scenario == Scenario::broadcast ||
                      plan.scenario == Scenario::batch || plan.scenario == Scenario::device ||
                      (plan.scenario == Scenario::game && plan.game_form == GameForm::relay);
  if (!is_fit) return "--batch is of echo, broadcast, batch, device and --game relay";
  if (!plan.prefix.empty()) return "--prefix is not for envelopes";
  plan.target.headers += "Sec-WebSocket-Protocol: ";
  plan.target.headers +=
      is_flat ? codec::envelope::flatbuffers_subprotocol : codec::envelope::json_subprotocol;
  plan.target.headers += "\r\n";
  return {};
}

std::string complete_replay(Plan& plan, const Given& given) {
  if (plan.script == nullptr) return "the scenario replay needs a recording: --replay FILE";
  if (plan.rate != 0 || plan.is_shared()) return "--rate and --members are of the recording";
  plan.members = plan.script->members;
  plan.rooms = plan.copies;
  plan.warm_up_ns = 0;
  plan.duration_ns =
      static_cast<std::uint64_t>(static_cast<double>(plan.script->length_ns) / plan.speed) + 1;
  plan.senders = 1;  // nobody's messages are checked
  plan.includes_sender = true;
  return complete_rooms(plan, given);
}

std::string complete_device(Plan& plan) {
  if (plan.text || plan.envelopes == BatchFormat::json_text) return "devices send no text";
  if (plan.rate != 0) return "--rate is not of the scenario device: there is --period";
  if (plan.period_ns == 0) return "--period must be longer than nothing";
  plan.rate = plan.connections * 1e9 / static_cast<double>(plan.period_ns);
  plan.target.add_query("protocol=binary");
  return {};
}

// What each sender does a second, in all.
std::string complete_rate(Plan& plan) {
  if (plan.rate_each == 0) return {};
  if (plan.rate != 0) return "--rate and --rate-each can't be both";
  if (!plan.is_exchange() || plan.scenario == Scenario::game) {
    return "--rate-each is of echo, broadcast, batch and agents";
  }
  const std::uint32_t each = plan.room_connections();
  const std::uint32_t senders = plan.is_shared() && plan.senders != 0 ? plan.senders : each;
  plan.rate = plan.rate_each * (plan.connections / each) * senders;
  return {};
}

std::string complete_scenario(Plan& plan, const Given& given) {
  switch (plan.scenario) {
    case Scenario::agents: plan.text = true; [[fallthrough]];
    case Scenario::broadcast:
      if (plan.members == 0) plan.members = 10;
      return complete_rooms(plan, given);
    case Scenario::batch:
      if (plan.envelopes == BatchFormat::none) plan.envelopes = BatchFormat::flatbuffers;
      if (plan.batched == 0) plan.batched = 100;
      return plan.is_shared() ? complete_rooms(plan, given) : "";
    case Scenario::replay: return complete_replay(plan, given);
    case Scenario::game: return complete_game(plan, given);
    default: break;
  }
  if (plan.is_shared()) return "--members is of broadcast, batch, agents and game";
  return plan.scenario == Scenario::device ? complete_device(plan) : "";
}

// Over bare TCP there are messages, and nothing else.
std::string check_bare(const Plan& plan) {
  switch (plan.scenario) {
    case Scenario::echo:
    case Scenario::broadcast:
    case Scenario::connect:
    case Scenario::device:
    case Scenario::game: break;
    default: return "tcp:// is for echo, broadcast, connect, device and game";
  }
  return plan.target.headers.empty() ? "" : "tcp:// has no handshake for --batch and --header";
}

}  // namespace

std::string complete(Plan& plan, const Given& given) {
  std::string error = complete_scenario(plan, given);
  if (error.empty()) error = complete_rate(plan);
  if (error.empty()) error = complete_envelopes(plan);
  if (error.empty() && plan.target.is_bare) error = check_bare(plan);
  if (!error.empty()) return error;
  const std::size_t least = plan.text ? Stationery::text_bytes_min : Stationery::binary_bytes_min;
  if (plan.sizes.least < least) {
    return "--size must be at least " + std::to_string(least) + ": the number and the checksum";
  }
  if (plan.threads > plan.connections / plan.room_connections()) {
    return "--threads can't be more than there are " +
           std::string(plan.is_shared() ? "rooms" : "connections");
  }
  if (plan.duration_ns == 0) return "--duration must be longer than nothing";
  return {};
}

}  // namespace ringroom::load
