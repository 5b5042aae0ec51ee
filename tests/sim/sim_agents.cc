#include "sim_agents.h"

#include "base/assert.h"

#include <chrono>
#include <utility>

namespace ringroom::sim {

namespace {

Journal* current_journal = nullptr;

}  // namespace

Journal::Journal() {
  ASSERT(current_journal == nullptr);
  current_journal = this;
}

Journal::~Journal() {
  current_journal = nullptr;
}

Journal& Journal::current() {
  ASSERT(current_journal != nullptr);
  return *current_journal;
}

void Journal::connected(const Connection& connection) {
  Entry& entry = entries_[std::string(connection.id())];
  if (++entry.connects != 1) faults_.push_back(std::string(connection.id()) + " connected twice");
}

void Journal::received(const Connection& connection) {
  Entry& entry = entries_[std::string(connection.id())];
  ++entry.messages;
  if (entry.connects != 1 || entry.closes != 0) {
    faults_.push_back("a message of " + std::string(connection.id()) + ", which isn't connected");
  }
}

void Journal::closed(const Connection& connection, CloseCode code, bool was_clean) {
  Entry& entry = entries_[std::string(connection.id())];
  if (++entry.closes != 1) faults_.push_back(std::string(connection.id()) + " closed twice");
  if (entry.connects != 1) {
    faults_.push_back(std::string(connection.id()) + " closed without having connected");
  }
  entry.close_code = number(code);
  entry.was_clean = was_clean;
}

JournalingAgent::JournalingAgent(AgentContext& context) : Agent(context) {
  Journal::current().agent_made();
}

JournalingAgent::~JournalingAgent() {
  Journal::current().agent_gone();
}

void JournalingAgent::on_connect(Connection& connection, const ConnectionContext&) {
  Journal::current().connected(connection);
}

void JournalingAgent::on_message(Connection& connection, Message message) {
  Journal::current().received(connection);
  if (message.text() == kick_me) return connection.close(4001, "as you wish");
  handle(connection, message);
}

void JournalingAgent::on_close(Connection& connection,
                               CloseCode code,
                               std::string_view,
                               bool was_clean) {
  Journal::current().closed(connection, code, was_clean);
}

Deferred<Response> JournalingAgent::on_request(const Request& request) {
  Response response = Response::text("[[" + request.query("n").value_or("") + "]]");
  if (random() % 2 == 0) return response;
  Deferred<Response> later;
  after(std::chrono::milliseconds(random() % 5),
        [later, response]() mutable { later.resolve(std::move(response)); });
  return later;
}

void SimEcho::handle(Connection& connection, Message message) {
  connection.send(message);
}

void SimRelay::handle(Connection& connection, Message message) {
  if (random() % 2 == 0) return broadcast(message, {.without = connection.ref()});
  for (Connection& other : connections()) {
    if (other.ref() != connection.ref()) other.send(message);
  }
}

void SimTicker::on_tick(const Tick& tick) {
  broadcast("tick " + std::to_string(tick.number));
}

std::vector<detail::AgentClassInfo> simulated_classes() {
  return {detail::describe_class<SimEcho>("SimEcho"), detail::describe_class<SimRelay>("SimRelay"),
          detail::describe_class<SimTicker>("SimTicker")};
}

}  // namespace ringroom::sim
