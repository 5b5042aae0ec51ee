// The version of the interface, and the door by which the server enters a shared object of agents.
// Constants and one function: any thread.
#pragma once

#include <cstddef>
#include <cstdint>

#define RINGROOM_VERSION "0.1.0"

namespace ringroom::detail {

struct Registration;
struct RouteRegistration;

/// What must be equal between the server and a shared object for their classes to fit together.
/// The first number stays where it is for ever: where it differs nothing else is read.
struct Abi {
  std::uint32_t interface_number;  ///< counts every change of a public class or of this struct
  std::uint32_t agent_bytes;
  std::uint32_t connection_bytes;
  std::uint32_t request_bytes;
  const char* version;   ///< RINGROOM_VERSION
  const char* compiler;  ///< name and version of the compiler, for the message
  const char* json;      ///< version of nlohmann::json, whose layout is part of the interface
};

struct Plugin {
  Abi abi;
  Registration* registrations;
  RouteRegistration* routes;
};

}  // namespace ringroom::detail
