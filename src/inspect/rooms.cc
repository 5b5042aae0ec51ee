// ringroom rooms: a list of what is in a data folder.
#include "codec/http/route.h"
#include "inspect/inspect.h"
#include "inspect/table.h"
#include "server/plugins.h"
#include "store/archive.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <map>

#include <CLI/CLI.hpp>
#include <fnmatch.h>

namespace ringroom::inspect {

namespace {

using store::StoredRoom;

constexpr const char* footer =
    "Works beside a running server too, and may then miss its last moments. In FILTER * stands "
    "for\n"
    "any characters: 'ChatRoom', 'chat-room/lobby*', '*/42'. Exit codes: 0; 1 if the folder can't\n"
    "be read.";

struct Options {
  std::string filter = "*";
  std::string data = "./ringroom-data";
  std::string sort = "name";
  std::size_t limit = 0;
  bool json = false;
  std::vector<std::string> agents;
};

// A class by its name or its segment, and a room.
struct Filter {
  std::string class_pattern;
  std::string room_pattern = "*";

  explicit Filter(const std::string& text) {
    const std::size_t slash = text.find('/');
    class_pattern = text.substr(0, slash);
    if (slash != std::string::npos) room_pattern = text.substr(slash + 1);
  }
  static bool fits(const std::string& pattern, const std::string& text) {
    return ::fnmatch(pattern.c_str(), text.c_str(), 0) == 0;
  }
  bool takes_class(const std::string& name) const {
    return fits(class_pattern, name) || fits(class_pattern, codec::http::kebab(name));
  }
};

bool serves(const server::Classes& served, const std::string& class_name) {
  return std::any_of(served.all.begin(), served.all.end(), [&](const auto& info) {
    return info.name == class_name || info.options.renamed_from == class_name;
  });
}

std::string readable_time(std::int64_t milliseconds) {
  const auto seconds = static_cast<std::time_t>(milliseconds / 1000);
  std::tm local{};
  ::localtime_r(&seconds, &local);
  char text[32];
  return std::strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local) == 0 ? "" : text;
}

void put_in_order(std::vector<StoredRoom>& rooms, const std::string& by) {
  if (by == "size") {
    std::stable_sort(rooms.begin(), rooms.end(),
                     [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
  } else if (by == "time") {
    std::stable_sort(rooms.begin(), rooms.end(),
                     [](const auto& a, const auto& b) { return a.changed_ms > b.changed_ms; });
  }
}

void print_json(const std::vector<StoredRoom>& rooms, const server::Classes& served) {
  json list = json::array();
  for (const StoredRoom& room : rooms) {
    list.push_back({{"class", room.class_name},
                    {"room", room.room},
                    {"bytes", room.bytes},
                    {"changed_ms", room.changed_ms},
                    {"served", serves(served, room.class_name)}});
  }
  const std::string text =
      json{{"rooms", std::move(list)}}.dump(-1, ' ', false, json::error_handler_t::replace);
  std::puts(text.c_str());
}

void print_table(const std::vector<StoredRoom>& rooms) {
  std::vector<std::vector<std::string>> lines;
  for (const StoredRoom& room : rooms) {
    lines.push_back({printable(room.class_name), printable(room.room), readable_bytes(room.bytes),
                     readable_time(room.changed_ms)});
  }
  std::fputs(table({{"CLASS"}, {"ROOM"}, {"SIZE", true}, {"CHANGED"}}, lines).c_str(), stdout);
}

// Rooms that nobody can enter as things are.
void tell_unserved(const std::map<std::string, std::size_t>& unserved) {
  for (const auto& [name, count] : unserved) {
    std::fprintf(
        stderr,
        "ringroom rooms: no class %s is served here; its rooms (%zu) are left alone. If it "
        "is in a\nshared object, name that with --agents; if it was renamed, give the new "
        "class renamed_from.\n",
        printable(name).c_str(), count);
  }
}

int list(const Options& options, const server::Classes& served) {
  store::Archive archive;
  std::string failure = archive.open_to_list(options.data);
  const Filter filter(options.filter);
  std::vector<StoredRoom> found;
  std::map<std::string, std::size_t> unserved;
  for (const std::string& name : archive.classes()) {
    if (!failure.empty() || !filter.takes_class(name)) continue;
    const std::size_t before = found.size();
    failure = archive.rooms(name, found);
    if (found.size() > before && !serves(served, name)) unserved[name] = found.size() - before;
  }
  if (!failure.empty()) {
    std::fprintf(stderr, "ringroom rooms: %s\n", failure.c_str());
    return 1;
  }
  std::erase_if(
      found, [&](const StoredRoom& room) { return !Filter::fits(filter.room_pattern, room.room); });
  put_in_order(found, options.sort);
  if (options.limit > 0 && found.size() > options.limit) found.resize(options.limit);
  if (options.json) {
    print_json(found, served);
  } else {
    print_table(found);
    tell_unserved(unserved);
  }
  return 0;
}

}  // namespace

int rooms(int argc, char** argv, const detail::Plugin& own) {
  Options options;
  CLI::App app("Lists the rooms that are stored in a data folder.", argv[0]);
  app.footer(footer);
  app.add_option("filter", options.filter, "CLASS or CLASS/ROOM: these only")->type_name("FILTER");
  app.add_option("--data", options.data, "the server's data folder (default ./ringroom-data)")
      ->type_name("DIR");
  app.add_option("--sort", options.sort,
                 "name, size (the largest first) or time (the last changed first)")
      ->check(CLI::IsMember({"name", "size", "time"}))
      ->type_name("BY");
  app.add_option("--limit", options.limit, "so many at most")->type_name("N");
  app.add_flag("--json", options.json,
               "one JSON object with a list: class, room, bytes, changed_ms, served");
  app.add_option("--agents", options.agents,
                 "a shared object whose classes are served too (repeatable)")
      ->type_name("FILE.so")
      ->expected(1)
      ->allow_extra_args(false);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 1;
  }
  const server::Classes served = server::gather_classes(own, options.agents);
  if (!served.error.empty()) {
    std::fprintf(stderr, "ringroom rooms: %s\n", served.error.c_str());
    return 1;
  }
  return list(options, served);
}

}  // namespace ringroom::inspect
