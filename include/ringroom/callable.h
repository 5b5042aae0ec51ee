// What a client may call: member functions of an agent, with arguments and results that are JSON.
// Registered once per class in `describe`; called on the room's shard, one callback at a time.
// Arguments are converted one by one, and what doesn't fit is an error for the caller.
#pragma once

#include "ringroom/connection.h"
#include "ringroom/deferred.h"
#include "ringroom/json.h"
#include "ringroom/schedule.h"

#include <cmath>
#include <concepts>
#include <cstddef>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace ringroom {

class Agent;

/// As the last parameter of a callable: all arguments that are left.
struct Arguments {
  std::vector<json> values;
};

namespace detail {
struct StreamState;
}

/// The answer to a streaming call, in chunks. The first parameter of a streaming callable; a copy
/// may be kept and used from timers and other callbacks of the same agent, which stays in memory
/// until the stream has ended or nobody holds it any more. What is sent after the end, or when the
/// caller has gone, is dropped.
class Stream {
 public:
  explicit Stream(std::shared_ptr<detail::StreamState> state) : state_(std::move(state)) {}
  void send(const json& chunk);
  /// Ends the call without a result, or with one.
  void end();
  void end(const json& result);
  /// Fails the call; chunks sent before stay valid.
  void error(std::string_view message);
  /// Not ended, and the caller is still there.
  bool is_open() const;

 private:
  std::shared_ptr<detail::StreamState> state_;
};

namespace detail {

// One name that calls may use.
struct Callable {
  std::string name;
  std::size_t parameters = 0;
  std::vector<json> defaults;  // of the last parameters
  // Both null: the name is known and may not be called.
  std::function<Deferred<json>(Agent&, std::vector<json>&)> call;
  std::function<void(Agent&, Stream&, std::vector<json>&)> stream;
};

[[noreturn]] inline void refuse_argument(std::size_t index, const char* wanted, const json* given) {
  std::string text = "argument " + std::to_string(index + 1) + " must be " + wanted;
  text += given == nullptr ? ", and is missing" : std::string(", not ") + given->type_name();
  throw std::invalid_argument(text);
}

template <typename T>
concept Optional = requires {
  typename T::value_type;
}
&&std::same_as<T, std::optional<typename T::value_type>>;

// Whole numbers stay whole: 2.5 or 10^30 for an int is an error, 2.0 is 2.
template <std::integral T>
T whole_number(std::size_t index, const json& given) {
  const double value = given.get<double>();
  const bool fits = std::trunc(value) == value &&
                    value >= static_cast<double>(std::numeric_limits<T>::min()) &&
                    value <= static_cast<double>(std::numeric_limits<T>::max());
  if (!fits) refuse_argument(index, "a whole number that fits its type", &given);
  if (given.is_number_unsigned()) return static_cast<T>(given.get<std::uint64_t>());
  if (given.is_number_integer()) return static_cast<T>(given.get<std::int64_t>());
  return static_cast<T>(value);
}

template <typename T>
T argument(std::vector<json>& given, std::size_t index) {
  if constexpr (std::same_as<T, Arguments>) {
    Arguments rest;
    for (; index < given.size(); ++index) rest.values.push_back(std::move(given[index]));
    return rest;
  } else if constexpr (std::same_as<T, json>) {
    return index < given.size() ? std::move(given[index]) : json();
  } else if constexpr (Optional<T>) {
    if (index >= given.size() || given[index].is_null()) return std::nullopt;
    return argument<typename T::value_type>(given, index);
  } else {
    const json* value = index < given.size() ? &given[index] : nullptr;
    if constexpr (std::same_as<T, bool>) {
      if (value == nullptr || !value->is_boolean()) refuse_argument(index, "true or false", value);
      return value->template get<bool>();
    } else if constexpr (std::is_arithmetic_v<T>) {
      if (value == nullptr || !value->is_number()) refuse_argument(index, "a number", value);
      if constexpr (std::integral<T>) return whole_number<T>(index, *value);
      return value->template get<T>();
    } else if constexpr (std::same_as<T, std::string> || std::same_as<T, std::string_view>) {
      if (value == nullptr || !value->is_string()) refuse_argument(index, "a string", value);
      return value->template get_ref<const std::string&>();
    } else {
      if (value == nullptr) refuse_argument(index, "given", value);
      try {
        return value->template get<T>();
      } catch (const json::exception& error) {
        throw std::invalid_argument("argument " + std::to_string(index + 1) + ": " + error.what());
      }
    }
  }
}

template <typename T>
inline constexpr bool is_deferred = false;
template <typename T>
inline constexpr bool is_deferred<Deferred<T>> = true;

template <typename T>
json result_json(T&& value) {
  using Plain = std::remove_cvref_t<T>;
  if constexpr (std::same_as<Plain, std::monostate>) {
    return json(json::value_t::discarded);
  } else if constexpr (std::same_as<Plain, Arguments>) {
    return json(std::forward<T>(value).values);
  } else if constexpr (Optional<Plain>) {
    return value ? result_json(*std::forward<T>(value)) : json();
  } else {
    return json(std::forward<T>(value));
  }
}

template <typename T>
Deferred<json> deferred_json(const Deferred<T>& from) {
  if constexpr (std::same_as<T, json>) {
    return from;
  } else {
    Deferred<json> to;
    from.then([to](T value) { to.resolve(result_json(std::move(value))); },
              [to](const std::string& why) { to.reject(why); });
    return to;
  }
}

// Converts the arguments from left to right, then calls.
template <typename... P, typename Call, std::size_t... I>
decltype(auto) with_arguments(std::vector<json>& given, Call call, std::index_sequence<I...>) {
  std::tuple<std::remove_cvref_t<P>...> values;
  ((std::get<I>(values) = argument<std::remove_cvref_t<P>>(given, I)), ...);
  return call(std::move(std::get<I>(values))...);
}

// Calls something with parameters P and result R.
template <typename R, typename... P, typename Call>
Deferred<json> answer_of(std::vector<json>& given, Call call) {
  constexpr auto indices = std::index_sequence_for<P...>();
  if constexpr (std::is_void_v<R>) {
    with_arguments<P...>(given, call, indices);
    return json(json::value_t::discarded);
  } else if constexpr (is_deferred<R>) {
    return deferred_json(with_arguments<P...>(given, call, indices));
  } else {
    return result_json(with_arguments<P...>(given, call, indices));
  }
}

template <typename X, typename R, typename Function, typename... P>
void set_call(Callable& callable, Function function) {
  callable.parameters = sizeof...(P);
  callable.call = [function](Agent& agent, std::vector<json>& given) {
    return answer_of<R, P...>(given, [&](auto&&... values) -> R {
      return (static_cast<X&>(agent).*function)(std::forward<decltype(values)>(values)...);
    });
  };
}

template <typename X, typename R, typename Function, typename... P>
void set_stream(Callable& callable, Function function) {
  callable.parameters = sizeof...(P);
  callable.stream = [function](Agent& agent, Stream& stream, std::vector<json>& given) {
    const auto call = [&](auto&&... values) {
      (static_cast<X&>(agent).*function)(stream, std::forward<decltype(values)>(values)...);
    };
    with_arguments<P...>(given, call, std::index_sequence_for<P...>());
  };
}

// One name that schedules may use.
struct Task {
  std::string name;
  std::function<Deferred<json>(Agent&, const Schedule&)> call;
};

// A task's parameters: none, its payload, or its payload and its Schedule.
template <typename X, typename R, typename... P, typename Function>
Task task_of(std::string_view name, Function function) {
  static_assert(sizeof...(P) <= 2);
  Task task;
  task.name = name;
  task.call = [function](Agent& agent, const Schedule& schedule) {
    X& self = static_cast<X&>(agent);
    std::vector<json> given;
    given.push_back(schedule.payload);
    if constexpr (sizeof...(P) == 2) {
      using Payload = std::tuple_element_t<0, std::tuple<P...>>;
      return answer_of<R, Payload>(given, [&](auto&& payload) -> R {
        return (self.*function)(std::forward<decltype(payload)>(payload), schedule);
      });
    } else {
      return answer_of<R, P...>(given, [&](auto&&... payload) -> R {
        return (self.*function)(std::forward<decltype(payload)>(payload)...);
      });
    }
  };
  return task;
}
template <typename X, typename Base, typename R, typename... P>
Task make_task(std::string_view name, R (Base::*function)(P...)) {
  return task_of<X, R, P...>(name, function);
}
template <typename X, typename Base, typename R, typename... P>
Task make_task(std::string_view name, R (Base::*function)(P...) const) {
  return task_of<X, R, P...>(name, function);
}

inline Task make_task(const Callable& callable) {
  Task task;
  task.name = callable.name;
  task.call = [call = callable.call](Agent& agent, const Schedule& schedule) {
    std::vector<json> given;
    if (!schedule.payload.is_null()) given.push_back(schedule.payload);
    return call(agent, given);
  };
  return task;
}

// The kinds of member functions that can be called.
template <typename X, typename Base, typename R, typename... P>
void set_function(Callable& callable, R (Base::*function)(P...)) {
  set_call<X, R, decltype(function), P...>(callable, function);
}
template <typename X, typename Base, typename R, typename... P>
void set_function(Callable& callable, R (Base::*function)(P...) const) {
  set_call<X, R, decltype(function), P...>(callable, function);
}
template <typename X, typename Base, typename R, typename... P>
void set_function(Callable& callable, R (Base::*function)(Stream&, P...)) {
  set_stream<X, R, decltype(function), P...>(callable, function);
}

}  // namespace detail

}  // namespace ringroom
