// Error: what on_error is told. On the room's shard; borrowed until the callback returns.
#pragma once

#include <exception>
#include <string_view>
#include <utility>

namespace ringroom {

class Error {
 public:
  Error(std::string_view where, std::string_view message, std::exception_ptr cause = nullptr)
      : where_(where), message_(message), cause_(std::move(cause)) {}

  /// The callback that failed ("on_message"), or what was going on ("protocol").
  std::string_view where() const { return where_; }
  std::string_view message() const { return message_; }
  /// What was thrown; null for protocol violations and failures of the system.
  std::exception_ptr cause() const { return cause_; }

 private:
  std::string_view where_;
  std::string_view message_;
  std::exception_ptr cause_;
};

}  // namespace ringroom
