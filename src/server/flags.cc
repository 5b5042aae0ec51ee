#include "server/flags.h"

#include "base/values.h"

#include <algorithm>
#include <array>
#include <climits>

namespace ringroom::server {

namespace {

using Milliseconds = std::chrono::milliseconds;

std::string put_text(std::string& to, const std::string& text) {
  if (text.empty()) return "is empty";
  to = text;
  return {};
}

std::string put_size(std::size_t& to, const std::string& text) {
  const base::Parsed<std::size_t> size = base::parse_size(text);
  if (size.value) to = *size.value;
  return size.error;
}

std::string put_duration(Milliseconds& to, const std::string& text) {
  const base::Parsed<Milliseconds> duration = base::parse_duration(text);
  if (duration.value) to = *duration.value;
  return duration.error;
}

std::string put_shards(Settings& settings, const std::string& text) {
  const base::Parsed<std::uint64_t> number = base::parse_number(text, UINT_MAX);
  if (!number.value) return number.error;
  if (*number.value == 0) return "must be at least 1; leave it out for one on each core";
  settings.options.shards = static_cast<unsigned>(*number.value);
  return {};
}

std::string put_connections(Settings& settings, const std::string& text) {
  const base::Parsed<std::uint64_t> number = base::parse_number(text, UINT32_MAX);
  if (number.value) settings.options.room_connections_max = *number.value;
  return number.error;
}

std::string put_databases_open(Settings& settings, const std::string& text) {
  const base::Parsed<std::uint64_t> number = base::parse_number(text, UINT32_MAX);
  if (number.value) settings.options.databases_open_max = *number.value;
  return number.error;
}

std::string put_durability(Settings& settings, const std::string& text) {
  if (text != "strict" && text != "process") return "must be strict or process";
  settings.options.durability = text == "strict" ? Durability::strict : Durability::process;
  return {};
}

std::string put_hibernate_after(Settings& settings, const std::string& text) {
  if (text == "never") {
    settings.options.hibernate_after.reset();
    return {};
  }
  Milliseconds after{};
  std::string error = put_duration(after, text);
  if (error.empty()) settings.options.hibernate_after = after;
  return error;
}

std::string put_ping_every(Settings& settings, const std::string& text) {
  if (text != "off") return put_duration(settings.options.ping_every, text);
  settings.options.ping_every = Milliseconds::zero();
  return {};
}

std::string add_text(std::vector<std::string>& to, const std::string& text) {
  if (text.empty()) return "is empty";
  to.push_back(text);
  return {};
}

std::string put_env(Settings& settings, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) return "must look like KEY=VALUE";
  settings.options.env[text.substr(0, equals)] = text.substr(equals + 1);
  return {};
}

std::string put_ring_features(Settings& settings, const std::string& text) {
  std::vector<std::string>& names = settings.options.ring_features.emplace();
  if (text == "none") return {};
  std::size_t from = 0;
  while (from <= text.size()) {
    const std::size_t comma = std::min(text.find(',', from), text.size());
    if (comma == from) return "must be names with commas between them, or none";
    names.push_back(text.substr(from, comma - from));
    from = comma + 1;
  }
  return {};
}

std::string put_log_level(Settings& settings, const std::string& text) {
  constexpr std::array<const char*, 4> names = {"debug", "info", "warn", "error"};
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (text != names[i]) continue;
    settings.log_level = static_cast<base::LogLevel>(i);
    return {};
  }
  return "must be debug, info, warn or error";
}

constexpr const char* addresses = "Addresses";
constexpr const char* rooms = "Rooms";
constexpr const char* limits_group = "Limits (SIZE: bytes, or a number and KiB, MiB or GiB)";
constexpr const char* timing = "Timing (DURATION: a number and ms, s, m or h)";
constexpr const char* operation = "Operation";

constexpr std::array<Flag, 24> all_flags = {{
    {"listen", "ADDR:PORT", addresses,
     "where clients connect; [ADDR]:PORT for IPv6;\n"
     "0.0.0.0 for clients on other machines; port 0\n"
     "takes a free one (default 127.0.0.1:8787)",
     false, [](Settings& s, const std::string& text) { return put_text(s.options.listen, text); }},
    {"admin", "ADDR:PORT", addresses,
     "/healthz, /metrics (Prometheus), /rooms (JSON),\n"
     "and what 'ringroom sql' asks; 'off' for none\n"
     "(default 127.0.0.1:8788)",
     false, [](Settings& s, const std::string& text) { return put_text(s.options.admin, text); }},
    {"prefix", "PATH", addresses,
     "rooms are at /PATH/{class}/{room}; '/' for\n"
     "/{class}/{room} (repeatable; default agents)",
     true, [](Settings& s, const std::string& text) { return add_text(s.options.prefixes, text); }},
    {"allow-origin", "ORIGIN", addresses,
     "pages of this origin may reach rooms, such as\n"
     "https://game.example, or 'null'; others get 403\n"
     "(repeatable; default: pages of any origin may)",
     true,
     [](Settings& s, const std::string& text) { return add_text(s.options.allow_origins, text); }},
    {"agents", "FILE.so", rooms, "load agents from a shared object (repeatable)", true,
     [](Settings& s, const std::string& text) { return add_text(s.options.agents, text); }},
    {"env", "KEY=VALUE", rooms, "what agents read with env(\"KEY\") (repeatable)", true, put_env},
    {"hibernate-after", "DURATION", rooms,
     "destroy the agent of a room without events; its\n"
     "connections stay, the next event makes it anew.\n"
     "'never' for never (default 10s)",
     false, put_hibernate_after},
    {"data", "DIR", rooms,
     "where rooms are stored, a folder of this server's\n"
     "own; ':memory:': nowhere, what rooms write is gone\n"
     "when the server ends (default ./ringroom-data)",
     false, [](Settings& s, const std::string& text) { return put_text(s.options.data, text); }},
    {"durability", "strict|process", rooms,
     "what has been told to clients survives: power\n"
     "loss, or only kill -9 (default strict)",
     false, put_durability},
    {"message-bytes-max", "SIZE", limits_group,
     "one message; a larger one closes with 1009\n"
     "(default 4MiB)",
     false,
     [](Settings& s, const std::string& text) {
       return put_size(s.options.message_bytes_max, text);
     }},
    {"outbox-bytes-max", "SIZE", limits_group,
     "what may wait for one client that reads slowly\n"
     "(default 1MiB)",
     false,
     [](Settings& s, const std::string& text) {
       return put_size(s.options.outbox_bytes_max, text);
     }},
    {"body-bytes-max", "SIZE", limits_group,
     "one request's body; a larger one is answered\n"
     "with 413 (default 8MiB)",
     false,
     [](Settings& s, const std::string& text) { return put_size(s.options.body_bytes_max, text); }},
    {"attachment-bytes-max", "SIZE", limits_group,
     "one connection's attachment, at most 16KiB\n"
     "(default 2KiB)",
     false,
     [](Settings& s, const std::string& text) {
       return put_size(s.options.attachment_bytes_max, text);
     }},
    {"room-connections-max", "N", limits_group,
     "connections of one room; the next is answered\n"
     "with 503 (default 32768)",
     false, put_connections},
    {"database-bytes-max", "SIZE", limits_group,
     "one room's database; what would make it larger\n"
     "fails (default 10GiB)",
     false,
     [](Settings& s, const std::string& text) {
       return put_size(s.options.database_bytes_max, text);
     }},
    {"databases-open-max", "N", limits_group,
     "databases that a shard has open, a file each;\n"
     "those of busy rooms (default 2000)",
     false, put_databases_open},
    {"query-time-max", "DURATION", timing,
     "stop an agent's SQL query that takes longer\n"
     "(default 5s)",
     false,
     [](Settings& s, const std::string& text) {
       return put_duration(s.options.query_time_max, text);
     }},
    {"record-bytes-max", "SIZE", limits_group,
     "let 'ringroom record' see what the members of a\n"
     "room send, in recordings of up to this size\n"
     "(default 0: never)",
     false,
     [](Settings& s, const std::string& text) {
       return put_size(s.options.record_bytes_max, text);
     }},
    {"handshake-timeout", "DURATION", timing,
     "close who hasn't sent a whole request by then\n"
     "(default 10s)",
     false,
     [](Settings& s, const std::string& text) {
       return put_duration(s.options.handshake_timeout, text);
     }},
    {"ping-every", "DURATION", timing,
     "ping clients, to find dead ones; 'off' for never\n"
     "(default off)",
     false, put_ping_every},
    {"shards", "N", operation,
     "threads that serve, each on one core (default:\n"
     "one for each core this process may use)",
     false, put_shards},
    {"config", "FILE", operation,
     "TOML with the names of these flags as keys, such\n"
     "as listen = \"0.0.0.0:8787\"; also [env], and\n"
     "[props.ClassName] for what on_start gets. Flags\n"
     "win over the file; agents and env add up",
     false, nullptr},
    {"log-level", "LEVEL", operation,
     "log lines from this level up: debug, info, warn,\n"
     "error (default info)",
     false, put_log_level},
    {"ring-features", "LIST", operation,
     "for tests: use only these optional features of\n"
     "io_uring, with commas between, or 'none'\n"
     "(default: all that the kernel has)",
     false, put_ring_features},
}};

}  // namespace

std::span<const Flag> flags() {
  return all_flags;
}

const Flag* find_flag(std::string_view name) {
  for (const Flag& flag : all_flags) {
    if (name == flag.name) return &flag;
  }
  return nullptr;
}

}  // namespace ringroom::server
