#include "load/script.h"

#include <ringroom/json.h>

#include "codec/envelope/base64.h"

#include <algorithm>
#include <fstream>
#include <limits>

namespace ringroom::load {

namespace {

constexpr std::uint64_t at_us_max = std::numeric_limits<std::uint64_t>::max() / 1000;
constexpr std::uint64_t members_max = 1'000'000;

std::uint64_t number_of(const json& line, const char* key, std::uint64_t most) {
  const auto found = line.find(key);
  if (found == line.end() || !found->is_number_unsigned()) return UINT64_MAX;
  const auto number = found->get<std::uint64_t>();
  return number <= most ? number : UINT64_MAX;
}

// False: it is no line of a recording.
bool add_line(const json& line, Script& script) {
  const std::uint64_t at_us = number_of(line, "at_us", at_us_max);
  const std::uint64_t member = number_of(line, "from", members_max);
  if (at_us == UINT64_MAX || member == UINT64_MAX) return false;
  Script::Line made{.at_ns = at_us * 1000,
                    .member = static_cast<std::uint32_t>(member),
                    .is_text = line.contains("text"),
                    .offset = script.bytes.size()};
  if (!script.lines.empty() && made.at_ns < script.lines.back().at_ns) return false;
  const json& value = line.value(made.is_text ? "text" : "base64", json());
  if (!value.is_string()) return false;
  const auto& text = value.get_ref<const std::string&>();
  if (made.is_text) {
    const auto bytes = std::as_bytes(std::span(text));
    script.bytes.insert(script.bytes.end(), bytes.begin(), bytes.end());
  } else {
    std::vector<std::byte> bytes;
    if (!codec::envelope::decode_base64(text, bytes)) return false;
    script.bytes.insert(script.bytes.end(), bytes.begin(), bytes.end());
  }
  made.size = script.bytes.size() - made.offset;
  script.members = std::max(script.members, made.member + 1);
  script.lines.push_back(made);
  return true;
}

}  // namespace

base::Parsed<Script> read_script(const std::string& file) {
  std::ifstream stream(file);
  if (!stream) return {{}, "can't be read"};
  std::string text;
  std::getline(stream, text);
  const json head = json::parse(text, nullptr, false);
  if (!head.is_object() || number_of(head, "recording", 1) != 1) {
    return {{}, "is no recording of 'ringroom record'"};
  }
  Script script;
  for (std::size_t number = 2; std::getline(stream, text); ++number) {
    const json line = json::parse(text, nullptr, false);
    if (line.is_object() && line.contains("end")) {
      const std::uint64_t at_us = number_of(line, "at_us", at_us_max);
      if (script.lines.empty()) return {{}, "has no messages: nobody spoke in that room"};
      if (at_us == UINT64_MAX) break;
      script.length_ns = std::max(at_us * 1000, script.lines.back().at_ns + 1);
      return {std::move(script), {}};
    }
    if (!line.is_object() || !add_line(line, script)) {
      return {{}, "has no message of a recording in line " + std::to_string(number)};
    }
  }
  return {{}, "was cut off: its last line, with the end, is missing"};
}

}  // namespace ringroom::load
