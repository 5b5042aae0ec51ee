// Deferred<T>: an answer that may come later. An agent returns one, keeps a copy, and resolves it
// from a timer or another callback; whoever waits is told once. On one shard; copies share one
// state by a plain count, the last one frees it. A value at once is a Deferred too.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace ringroom {

namespace detail {

// Counted without atomics: a Deferred never leaves its shard.
template <typename T>
struct DeferredState {
  std::size_t owners = 1;
  std::optional<T> value;
  std::optional<std::string> failure;
  std::function<void(DeferredState&)> waiter;
  bool answered() const { return value.has_value() || failure.has_value(); }
};

}  // namespace detail

template <typename T>
class Deferred {
 public:
  Deferred() : state_(new detail::DeferredState<T>) {}
  // Implicit, so that returning a T will do. NOLINTNEXTLINE(google-explicit-constructor)
  Deferred(T value) : Deferred() { resolve(std::move(value)); }
  Deferred(const Deferred& other) : state_(other.state_) { ++state_->owners; }
  Deferred(Deferred&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
  Deferred& operator=(Deferred other) noexcept {
    std::swap(state_, other.state_);
    return *this;
  }
  ~Deferred() {
    if (state_ != nullptr && --state_->owners == 0) abandon();
  }

  /// Answers. The first answer counts, later ones are ignored. Runs the waiter at once.
  void resolve(T value) const {
    if (state_->answered()) return;
    state_->value = std::move(value);
    tell();
  }
  /// Answers with an error's text, which becomes a 500 or the error of a call.
  void reject(std::string_view message) const {
    if (state_->answered()) return;
    state_->failure = message;
    tell();
  }
  bool is_answered() const { return state_->answered(); }

  /// Calls on_value(T&&) or on_failure(const std::string&) when answered, now or later; once.
  /// A Deferred that is dropped by everybody without an answer counts as a failure.
  template <typename OnValue, typename OnFailure>
  void then(OnValue on_value, OnFailure on_failure) const {
    state_->waiter = [on_value, on_failure](detail::DeferredState<T>& state) {
      if (state.value) {
        on_value(std::move(*state.value));
      } else {
        on_failure(*state.failure);
      }
    };
    if (state_->answered()) tell();
  }
  /// Nobody is told of the answer: what waits for it is dropped uncalled.
  void forget() const { state_->waiter = nullptr; }

 private:
  void tell() const {
    Deferred keep = *this;  // the waiter may drop the last other copy
    if (auto waiter = std::exchange(state_->waiter, nullptr)) waiter(*state_);
  }
  void abandon() {
    if (!state_->answered() && state_->waiter) {
      state_->owners = 1;
      state_->failure = "the request was dropped without an answer";
      if (auto waiter = std::exchange(state_->waiter, nullptr)) waiter(*state_);
    }
    delete state_;
  }

  detail::DeferredState<T>* state_;
};

}  // namespace ringroom
