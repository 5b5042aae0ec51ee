#include "reactor/ring_features.h"

#include <array>

namespace ringroom::reactor {

namespace {

constexpr std::array<std::string_view, 4> names = {"incremental-buffers", "min-wait", "no-sq-array",
                                                   "fixed-fd-install"};
constexpr std::array<bool Features::*, 4> members = {&Features::incremental_buffers,
                                                     &Features::min_wait, &Features::no_sq_array,
                                                     &Features::fixed_fd_install};

}  // namespace

std::span<const std::string_view> feature_names() {
  return names;
}

std::optional<Features> restrict_features(const Features& available,
                                          const std::vector<std::string>& wanted) {
  Features restricted;
  for (const std::string& name : wanted) {
    bool known = false;
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (name != names[i]) continue;
      restricted.*members[i] = available.*members[i];
      known = true;
    }
    if (!known) return std::nullopt;
  }
  return restricted;
}

std::string describe(const Features& features) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!(features.*members[i])) continue;
    if (!text.empty()) text += ", ";
    text += names[i];
  }
  return text.empty() ? "none" : text;
}

}  // namespace ringroom::reactor
