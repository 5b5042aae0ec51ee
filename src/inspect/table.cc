#include "inspect/table.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace ringroom::inspect {

namespace {

// Characters as a terminal counts them, nearly: each but the continuation bytes of UTF-8.
std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char each) {
    return (static_cast<unsigned char>(each) & 0xc0U) != 0x80U;
  }));
}

void append_cell(std::string& line, const std::string& cell, std::size_t wide, bool right) {
  const std::string space(wide - std::min(wide, width(cell)), ' ');
  if (!line.empty()) line += "  ";
  line += right ? space + cell : cell + space;
}

}  // namespace

std::string printable(std::string_view text) {
  std::string safe;
  for (const char each : text) {
    const auto byte = static_cast<unsigned char>(each);
    if (each == '\n') {
      safe += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      std::array<char, 5> code{};
      std::snprintf(code.data(), code.size(), "\\x%02x", unsigned{byte});
      safe += code.data();
    } else {
      safe += each;
    }
  }
  return safe;
}

std::string table(const std::vector<Column>& columns,
                  const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> wide;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    wide.push_back(width(columns[i].title));
    for (const auto& row : rows) wide[i] = std::max(wide[i], width(row[i]));
  }
  std::string text;
  const auto append_line = [&](const auto& cell_of) {
    std::string line;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      append_cell(line, cell_of(i), wide[i], columns[i].right);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  append_line([&](std::size_t i) { return columns[i].title; });
  for (const auto& row : rows) append_line([&](std::size_t i) { return row[i]; });
  return text;
}

std::string readable_bytes(unsigned long long bytes) {
  constexpr std::array<const char*, 5> units = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto number = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; number >= 1000 && unit + 1 < units.size(); ++unit) number /= 1024;
  std::array<char, 32> text{};
  const bool is_short = number < 10 && unit > 0 && bytes % 1024 != 0;
  std::snprintf(text.data(), text.size(), is_short ? "%.1f %s" : "%.0f %s", number, units[unit]);
  return text.data();
}

}  // namespace ringroom::inspect
