#include "codec/agents/client_frame.h"

#include <cstdint>
#include <cstring>
#include <utility>

#include <simdjson.h>

namespace ringroom::codec::agents {

namespace {

using simdjson::dom::element_type;

constexpr std::string_view state_type = "\"cf_agent_state\"";
constexpr std::string_view call_type = "\"rpc\"";
// Parsers that have read more are thrown away.
constexpr std::size_t kept_bytes_max = 64 * 1024;
// Of nested arrays and objects, as simdjson has it: what is deeper would overflow stacks.
constexpr int depth_max = 1024;

bool names_type_at(std::string_view text, std::size_t at) {
  const std::string_view rest = text.substr(at);
  return rest.starts_with(call_type) || rest.starts_with(state_type);
}

// Compared 16 at a time: a quote that is followed by the first letter of one of the types.
using Bytes = unsigned char __attribute__((vector_size(16)));

bool names_type_in_block(std::string_view text, std::size_t at) {
  Bytes here;
  Bytes next;
  std::memcpy(&here, text.data() + at, sizeof(here));
  std::memcpy(&next, text.data() + at + 1, sizeof(next));
  const auto hits = (here == '"') & ((next == 'r') | (next == 'c'));
  std::uint64_t any[2];
  std::memcpy(any, &hits, sizeof(any));
  if ((any[0] | any[1]) == 0) [[likely]]
    return false;
  for (std::size_t i = 0; i < sizeof(Bytes); ++i) {
    if (text[at + i] == '"' && names_type_at(text, at + i)) return true;
  }
  return false;
}

json to_json(simdjson::dom::element value) {
  switch (value.type()) {
    case element_type::ARRAY: {
      json array = json::array();
      const simdjson::dom::array elements = value.get_array().value_unsafe();
      for (const auto each : elements) array.push_back(to_json(each));
      return array;
    }
    case element_type::OBJECT: {
      json object = json::object();
      const simdjson::dom::object fields = value.get_object().value_unsafe();
      for (const auto field : fields) {
        object[std::string(field.key)] = to_json(field.value);
      }
      return object;
    }
    case element_type::INT64: return value.get_int64().value_unsafe();
    case element_type::UINT64: return value.get_uint64().value_unsafe();
    case element_type::DOUBLE: return value.get_double().value_unsafe();
    case element_type::STRING: return std::string(value.get_string().value_unsafe());
    case element_type::BOOL: return value.get_bool().value_unsafe();
    case element_type::NULL_VALUE: break;
  }
  return nullptr;
}

// For integers beyond 64 bits, which JavaScript writes up to 10^21 and simdjson refuses.
json parse_with_large_numbers(std::string_view text) {
  bool is_too_deep = false;
  const auto look = [&](int depth, json::parse_event_t, json&) {
    if (depth > depth_max) is_too_deep = true;
    return !is_too_deep;
  };
  json value = json::parse(text, look, false);
  return is_too_deep ? json(json::value_t::discarded) : value;
}

// Discarded if it isn't JSON.
json parse(simdjson::dom::parser& parser, std::string_view text) {
  simdjson::dom::element root;
  // Copied by the parser, which needs room behind the text.
  const auto error = parser.parse(text.data(), text.size(), true).get(root);
  if (error == simdjson::SUCCESS) return to_json(root);
  return parse_with_large_numbers(text);
}

std::string* text_at(json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : found->get_ptr<std::string*>();
}

ClientFrame frame_of(json& object) {
  if (!object.is_object()) return {};
  const std::string* type = text_at(object, "type");
  if (type == nullptr) return {};
  if (*type == "cf_agent_state") {
    const auto state = object.find("state");
    if (state == object.end()) return {};
    return StateUpdate{std::move(*state)};
  }
  if (*type != "rpc") return {};
  std::string* id = text_at(object, "id");
  std::string* method = text_at(object, "method");
  const auto args = object.find("args");
  if (id == nullptr || method == nullptr || args == object.end() || !args->is_array()) return {};
  return Call{std::move(*id), std::move(*method), std::move(args->get_ref<json::array_t&>())};
}

}  // namespace

bool may_be_client_frame(std::string_view text) {
  if (text.empty()) return false;
  // An object, perhaps behind blanks.
  if (text.front() != '{' && static_cast<unsigned char>(text.front()) > ' ') return false;
  std::size_t at = 0;
  for (; at + sizeof(Bytes) + 1 <= text.size(); at += sizeof(Bytes)) {
    if (names_type_in_block(text, at)) return true;
  }
  for (; at < text.size(); ++at) {
    if (text[at] == '"' && names_type_at(text, at)) return true;
  }
  return false;
}

struct ClientFrameReader::Parser {
  simdjson::dom::parser json;
};

ClientFrameReader::ClientFrameReader() = default;
ClientFrameReader::~ClientFrameReader() = default;

ClientFrame ClientFrameReader::read(std::string_view text) {
  if (parser_ == nullptr) parser_ = std::make_unique<Parser>();
  json object = parse(parser_->json, text);
  ClientFrame frame = frame_of(object);
  if (text.size() > kept_bytes_max) parser_.reset();
  return frame;
}

}  // namespace ringroom::codec::agents
