// View: what a run shows of itself while it goes on, on standard error: on a terminal one line that
// is written anew, else plain lines, one a second. The main thread's.
#pragma once

#include "load/result.h"

#include <cstdint>
#include <string>

namespace ringroom::load {

class View {
 public:
  /// Silent if the plan is quiet.
  explicit View(const Plan& plan);

  void show_opening(std::uint32_t open);
  void show(const Moment& moment);
  /// Before the summary: the line goes.
  void end();

 private:
  void put(const std::string& line, bool at_once);

  const Plan& plan_;
  bool is_terminal_;
  double shown_s_ = -1;
  double total_s_;
};

}  // namespace ringroom::load
