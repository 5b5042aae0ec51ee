// What a room keeps while its agent sleeps: the automatic answer, the event timeout; and the
// keep_alive() that doesn't let it.
#include "agent/guard.h"
#include "base/log.h"

#include <stdexcept>

namespace ringroom::detail {

using connection::Record;

namespace {

void check_size(std::string_view what, std::string_view part, std::string_view text) {
  if (text.size() <= limits::auto_response_bytes_max) return;
  throw std::length_error(std::string(what) + " cannot be larger than " +
                          std::to_string(limits::auto_response_bytes_max) + " bytes. A " +
                          std::string(part) + " of size " + std::to_string(text.size()) +
                          " was provided.");
}

}  // namespace

Host::Settings& Host::settings() {
  if (settings_ == nullptr) settings_ = std::make_unique<Settings>();
  return *settings_;
}

void Host::set_auto_response(std::optional<AutoResponse> pair) {
  if (pair) {
    check_size("Request", "request", pair->request);
    check_size("Response", "response", pair->response);
  }
  if (pair || settings_ != nullptr) settings().auto_response = std::move(pair);
}

const AutoResponse* Host::auto_response() const {
  if (settings_ == nullptr || !settings_->auto_response) return nullptr;
  return &*settings_->auto_response;
}

// No event: the agent isn't woken, and isn't kept awake.
bool Host::answers_automatically(std::uint32_t member, Message message) {
  const AutoResponse* pair = auto_response();
  if (pair == nullptr || !message.is_text() || message.text() != pair->request) return false;
  Connection& from = group_.members[member];
  hub().record(from).auto_response_ms = static_cast<std::uint64_t>(runtime_.wall_ms());
  const std::string_view response = pair->response;
  send(from, codec::ws::Opcode::text, std::as_bytes(std::span(response.data(), response.size())));
  return true;
}

void Host::set_event_timeout(std::chrono::milliseconds timeout) {
  if (timeout.count() < 0 || timeout.count() > limits::event_timeout_ms_max) {
    throw std::invalid_argument("Event timeout should not exceed " +
                                std::to_string(limits::event_timeout_ms_max) + " ms.");
  }
  if (timeout.count() > 0 || settings_ != nullptr) settings().event_timeout = timeout;
}

std::chrono::milliseconds Host::event_timeout() const {
  return settings_ == nullptr ? std::chrono::milliseconds(0) : settings_->event_timeout;
}

void Host::check_event_timeout(const char* where, Connection* connection, std::uint64_t began_ns) {
  const auto timeout = event_timeout();
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::nanoseconds(runtime_.shard().clock_ns() - began_ns));
  if (timeout.count() == 0 || took <= timeout) return;
  const std::string message = std::string(where) + " took " + std::to_string(took.count()) +
                              " ms, longer than the event timeout of " +
                              std::to_string(timeout.count()) + " ms";
  base::log_error(title() + ": " + message);
  tell_agent(connection, Error(where, message));
}

KeepAlive Host::keep_alive() {
  return KeepAlive(settings().keep_alives);
}

}  // namespace ringroom::detail
