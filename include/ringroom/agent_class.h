// AgentClass: what the server knows about a class of agents, gathered once per class, and the
// RINGROOM_AGENT macro that announces it. Announced at load time into a list of the executable or
// shared object; read at start by Server, any thread after that.
#pragma once

#include "ringroom/agent.h"
#include "ringroom/callable.h"
#include "ringroom/route.h"
#include "ringroom/version.h"

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ringroom {

template <typename X>
class AgentClass;

namespace detail {

struct AgentClassInfo {
  std::string_view name;
  AgentOptions options;
  std::unique_ptr<Agent> (*make)(AgentContext& context) = nullptr;
  BeforeConnect before_connect = nullptr;
  BeforeRequest before_request = nullptr;
  CorsHeaders cors = {};
  std::vector<Callable> callables;
  std::vector<Task> tasks;

  /// Whether text messages can be frames of the Agents protocol: state updates and calls.
  bool reads_frames() const { return options.protocol_frames || !callables.empty(); }
  const Callable* find_callable(std::string_view called) const {
    for (const Callable& each : callables) {
      if (each.name == called) return &each;
    }
    return nullptr;
  }
  const Task* find_task(std::string_view called) const {
    for (const Task& each : tasks) {
      if (each.name == called) return &each;
    }
    return nullptr;
  }
};

struct Registration {
  AgentClassInfo info;
  Registration* next = nullptr;
};

// Hidden, so that each shared object has a list of its own.
__attribute__((visibility("hidden"))) inline Registration* registrations = nullptr;

struct Registrar {
  explicit Registrar(Registration& registration) {
    registration.next = registrations;
    registrations = &registration;
  }
};

}  // namespace detail

/// Handed to `static void describe(AgentClass<X>&)` of a class, for what depends on its members.
template <typename X>
class AgentClass {
 public:
  explicit AgentClass(detail::AgentClassInfo& info) : info_(info) {}

  /// Asked about an upgrade before the room is made or woken: the place to check secrets, since
  /// identity and state go out before on_connect.
  AgentClass& before_connect(BeforeConnect hook) {
    info_.before_connect = hook;
    return *this;
  }
  /// The same for plain requests.
  AgentClass& before_request(BeforeRequest hook) {
    info_.before_request = hook;
    return *this;
  }
  /// These CORS headers in place of those of AgentOptions::cors, for a class that isn't open to
  /// every origin, or takes cookies.
  AgentClass& cors(CorsHeaders headers) {
    info_.cors = std::move(headers);
    return *this;
  }

  /// Lets clients call a member function: `c.callable("add", &X::add)`. Parameters: numbers, bool,
  /// std::string, json, std::optional, std::vector, structs with RINGROOM_JSON; as the last one
  /// Arguments takes the rest; Stream& as the first makes it a streaming one. Results: the same, or
  /// none, or a Deferred that answers later (of std::monostate for none). What it throws is the
  /// caller's error, by its text. `defaults` are for the last parameters, when a caller gives
  /// fewer.
  template <typename Function, typename... Defaults>
  AgentClass& callable(std::string_view name, Function function, Defaults&&... defaults) {
    detail::Callable callable;
    callable.name = name;
    detail::set_function<X>(callable, function);
    (callable.defaults.push_back(json(std::forward<Defaults>(defaults))), ...);
    if (callable.call) info_.tasks.push_back(detail::make_task(callable));
    info_.callables.push_back(std::move(callable));
    return *this;
  }
  /// Lets Agent::schedule name a member function; clients can't call it. Its parameters: none, the
  /// payload (as a callable's argument), or that and a `const Schedule&`. It may be tried again if
  /// it throws, or its Deferred fails; one that isn't answered within 30 s is given up. Callables
  /// can be named, too, and get the payload as their first argument.
  template <typename Function>
  AgentClass& task(std::string_view name, Function function) {
    info_.tasks.push_back(detail::make_task<X>(name, function));
    return *this;
  }
  /// A name that calls get "Method … is not callable" for.
  AgentClass& not_callable(std::string_view name) {
    info_.callables.emplace_back().name = name;
    return *this;
  }

 private:
  detail::AgentClassInfo& info_;
};

namespace detail {

template <typename X>
AgentClassInfo describe_class(std::string_view name) {
  AgentClassInfo info;
  info.name = name;
  if constexpr (requires { X::options; }) info.options = X::options;
  info.make = [](AgentContext& context) -> std::unique_ptr<Agent> {
    return std::make_unique<X>(context);
  };
  if constexpr (requires(AgentClass<X> & described) { X::describe(described); }) {
    AgentClass<X> described(info);
    X::describe(described);
  }
  return info;
}

}  // namespace detail

}  // namespace ringroom

/// Announces a class of agents under its own name: `RINGROOM_AGENT(ChatRoom)` is reached at
/// /agents/chat-room/{room}. At namespace scope of one source file, with the unqualified name.
#define RINGROOM_AGENT(Class)                                                                    \
  static_assert(std::derived_from<Class, ::ringroom::Agent>);                                    \
  namespace {                                                                                    \
  ::ringroom::detail::Registration ringroom_registration_##Class{                                \
      ::ringroom::detail::describe_class<Class>(#Class)};                                        \
  const ::ringroom::detail::Registrar ringroom_registrar_##Class{ringroom_registration_##Class}; \
  }
