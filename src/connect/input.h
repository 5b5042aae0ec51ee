// Input: the lines of standard input. On a terminal with editing and history (libedit), else as
// they come through a pipe. One per process, on its thread; a line is bounded by what the user
// types.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ringroom::connect {

class Input {
 public:
  Input();
  ~Input();
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  /// Takes what standard input has, which must be readable, and returns the whole lines.
  std::vector<std::string> read();
  /// No more will come: end of file, or Ctrl-D.
  bool ended() const { return ended_; }
  /// Prints lines without disturbing the one that is being edited.
  void print(std::string_view text) const;

 private:
  void take_line(const char* line);
  static void on_line(char* line);
  static int on_end(int count, int key);

  bool is_terminal_;
  bool ended_ = false;
  std::string partial_;
  std::vector<std::string> lines_;
};

}  // namespace ringroom::connect
