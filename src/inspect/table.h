// Tables for terminals. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ringroom::inspect {

/// What is safe to print: control characters are written as \n and \x1b.
std::string printable(std::string_view text);

struct Column {
  std::string title;
  bool right = false;  ///< as numbers are aligned
};

/// One line for the titles and one for each row, columns two spaces apart.
std::string table(const std::vector<Column>& columns,
                  const std::vector<std::vector<std::string>>& rows);

/// "12 KiB": three digits at most, in the unit that fits.
std::string readable_bytes(unsigned long long bytes);

}  // namespace ringroom::inspect
