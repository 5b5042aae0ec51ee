#include "store/sql_json.h"

#include <variant>

namespace ringroom::store {

namespace {

struct ToJson {
  json operator()(std::monostate) const { return nullptr; }
  json operator()(std::int64_t value) const { return value; }
  json operator()(double value) const { return value; }
  json operator()(const std::string& text) const { return text; }
  json operator()(const SqlValue::Blob& blob) const {
    constexpr std::string_view digits = "0123456789abcdef";
    std::string hex;
    for (const std::byte byte : blob) {
      hex += digits[std::to_integer<std::size_t>(byte >> 4U)];
      hex += digits[std::to_integer<std::size_t>(byte & std::byte{15})];
    }
    return {{"hex", std::move(hex)}};
  }
};

}  // namespace

json to_json(const SqlRows& rows) {
  json values = json::array();
  for (const SqlRows::Row row : rows) {
    json& to = values.emplace_back(json::array());
    for (std::size_t i = 0; i < row.size(); ++i) to.push_back(std::visit(ToJson{}, row[i].any()));
  }
  return {{"columns", rows.columns()}, {"rows", std::move(values)}};
}

}  // namespace ringroom::store
