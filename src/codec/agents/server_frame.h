// The frames of the Agents protocol that the server sends, as text. Pure functions, any thread.
#pragma once

#include "ringroom/json.h"

#include <string>
#include <string_view>

namespace ringroom::codec::agents {

/// Who the client talks to. `state_follows` exactly when a state frame comes next.
std::string identity_frame(std::string_view room, std::string_view class_kebab, bool state_follows);

/// `state` is encoded JSON.
std::string state_frame(std::string_view state);

/// The answer to a state update that was refused.
std::string state_error_frame(std::string_view error);

/// The MCP servers of the agent: none.
inline constexpr std::string_view mcp_servers_frame =
    R"({"mcp":{"prompts":[],"resources":[],"servers":{},"tools":[]},"type":"cf_agent_mcp_servers"})";

/// The answer to a call, or with `done` false one chunk of a stream. A discarded `result` is left
/// out. Throws json::exception for what JSON can't hold (text that isn't UTF-8).
std::string result_frame(std::string_view id, const json& result, bool done);

/// The failure of a call.
std::string failure_frame(std::string_view id, std::string_view error);

}  // namespace ringroom::codec::agents
