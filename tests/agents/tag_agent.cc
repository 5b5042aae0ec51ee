// TagAgent: gives connections the tags that their query asks for, and finds them by tag.
#include "recorded.h"

#include <stdexcept>

using namespace ringroom;

class TagAgent final : public Agent {
 public:
  using Agent::Agent;
  static void describe(AgentClass<TagAgent>& c) {
    c.callable("who", &TagAgent::who);
    c.callable("one", &TagAgent::one);
  }

  std::vector<std::string> connection_tags(Connection& guest,
                                           const ConnectionContext& context) override {
    const Request& request = context.request();
    if (auto tags = recorded::tags_by_size(request)) return *std::move(tags);
    if (request.query("empty")) return {""};
    // What only an untyped language can do wrong, said as it was.
    if (request.query("num")) {
      throw std::invalid_argument("A connection tag must be a string. Received: 7");
    }
    if (request.query("dup")) return {"a", "a", std::string(guest.id())};
    return recorded::query_all(request, "tag");
  }

 private:
  static json about(const Connection& guest) {
    return {{"id", guest.id()}, {"tags", guest.tags()}};
  }

  json who(const std::optional<std::string>& tag) {
    json all = json::array();
    for (Connection& guest : connections(tag.value_or(""))) all.push_back(about(guest));
    return all;
  }

  json one(const std::string& id) {
    const std::vector<Connection*> found = connections_by_id(id);
    if (found.size() > 1) {
      throw std::runtime_error("More than one connection found for id " + id +
                               ". Did you mean to use getConnections(tag) instead?");
    }
    return found.empty() ? json() : about(*found[0]);
  }
};
RINGROOM_AGENT(TagAgent)
