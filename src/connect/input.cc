#include "connect/input.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include <editline/readline.h>

#include <unistd.h>

namespace ringroom::connect {

namespace {

constexpr const char* prompt = "> ";
constexpr int end_of_input = 4;  // Ctrl-D
// libedit calls a function without a context; there is one standard input.
Input* editing = nullptr;

}  // namespace

Input::Input() : is_terminal_(isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0) {
  if (!is_terminal_) return;
  editing = this;
  using_history();
  rl_callback_handler_install(prompt, &Input::on_line);
  // libedit tells its caller of lines only.
  rl_add_defun("end-of-input", &Input::on_end, end_of_input);
}

Input::~Input() {
  if (!is_terminal_) return;
  rl_callback_handler_remove();
  editing = nullptr;
}

void Input::on_line(char* line) {
  editing->take_line(line);
  std::free(line);
}

int Input::on_end(int, int) {
  if (rl_end == 0) editing->ended_ = true;
  return 0;
}

void Input::take_line(const char* line) {
  if (line == nullptr) return;
  if (*line != '\0') add_history(line);
  lines_.emplace_back(line);
}

std::vector<std::string> Input::read() {
  if (is_terminal_) {
    rl_callback_read_char();
    // After a line libedit leaves the terminal as it was before.
    if (!lines_.empty()) rl_callback_handler_install(prompt, &Input::on_line);
    return std::exchange(lines_, {});
  }
  char buffer[65536];
  const ssize_t got = ::read(STDIN_FILENO, buffer, sizeof(buffer));
  if (got < 0) return {};
  if (got == 0) {
    ended_ = true;
    if (!partial_.empty()) lines_.push_back(std::exchange(partial_, {}));
  }
  partial_.append(buffer, static_cast<std::size_t>(got));
  for (std::size_t end = 0; (end = partial_.find('\n')) != std::string::npos;) {
    lines_.push_back(partial_.substr(0, end));
    partial_.erase(0, end + 1);
  }
  return std::exchange(lines_, {});
}

void Input::print(std::string_view text) const {
  if (is_terminal_) std::fputs("\r\033[K", stdout);
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
  if (is_terminal_ && !ended_) rl_forced_update_display();
}

}  // namespace ringroom::connect
