// ASSERT: our own mistakes stop the process, in every build. Bad input from a peer is a value, and
// trouble with the machine is a message; neither of them comes here. Any thread.
#pragma once

namespace ringroom::base {

/// Logs the expression with its place on standard error and aborts. Never returns.
[[noreturn, gnu::cold]] void assertion_failed(const char* expression, const char* file, int line);

}  // namespace ringroom::base

#define ASSERT(expression)                                                   \
  (__builtin_expect(!(expression), 0)                                        \
       ? ::ringroom::base::assertion_failed(#expression, __FILE__, __LINE__) \
       : static_cast<void>(0))
