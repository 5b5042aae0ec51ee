// JSON in Ringroom's interface is nlohmann::json. RINGROOM_JSON gives a struct its conversion, so
// that it can be a state, an attachment or part of a message. Any thread; values are owned.
#pragma once

#include <nlohmann/json.hpp>

namespace ringroom {

using json = nlohmann::json;

}  // namespace ringroom

/// RINGROOM_JSON(User, username, score): conversion from and to JSON by member names, in the
/// namespace of the type. Reading throws json::exception if a member is missing or of another type.
#define RINGROOM_JSON(Type, ...) NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Type, __VA_ARGS__)
