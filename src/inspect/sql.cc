// ringroom sql: a query that reads one room's database, on disk or through its server.
#include "base/address.h"
#include "codec/http/route.h"
#include "inspect/inspect.h"
#include "inspect/table.h"
#include "store/archive.h"
#include "store/sql_json.h"

#include <cstdio>
#include <optional>
#include <stdexcept>

#include <CLI/CLI.hpp>
#include <Poco/Exception.h>
#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/StreamCopier.h>

namespace ringroom::inspect {

namespace {

constexpr const char* footer =
    "Reads only. A folder that a server uses is read through it: name its --admin address. There "
    "a\n"
    "query may take a second and give 8 MiB. Tables that begin with _cf_ are Ringroom's own:\n"
    "_cf_KV is storage(). Exit codes: 0; 1 for an error.";

struct Options {
  std::string room;
  std::string query;
  std::string data = "./ringroom-data";
  std::string admin;
  bool json = false;
};

struct Place {
  std::string class_name;  // or its segment
  std::string room;
};

Place parse_place(const std::string& text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == text.size()) {
    throw std::runtime_error("'" + text + "' is no room: write CLASS/ROOM, such as ChatRoom/lobby");
  }
  return {text.substr(0, slash), text.substr(slash + 1)};
}

std::string no_such_room(const std::string& room) {
  return "nothing is stored of " + room + ": 'ringroom rooms' lists what is";
}

json read_folder(const Options& options, const Place& place) {
  store::Archive archive;
  if (const std::string failure = archive.open_to_read(options.data); !failure.empty()) {
    throw std::runtime_error(failure);
  }
  for (const std::string& name : archive.classes()) {
    if (name != place.class_name && codec::http::kebab(name) != place.class_name) continue;
    if (const auto rows = archive.read(name, place.room, options.query))
      return store::to_json(*rows);
  }
  throw std::runtime_error(no_such_room(options.room));
}

json ask_server(const Options& options, const Place& place) {
  const auto address = base::parse_address(options.admin);
  if (!address.value) throw std::runtime_error("--admin: '" + options.admin + "' " + address.error);
  const std::size_t colon = options.admin.rfind(':');
  std::string host = options.admin.substr(0, colon);
  if (host.front() == '[') host = host.substr(1, host.size() - 2);
  const std::string body =
      json{{"class", place.class_name}, {"room", place.room}, {"query", options.query}}.dump();
  std::string answer;
  Poco::Net::HTTPResponse response;
  try {
    Poco::Net::HTTPClientSession session(host, address.value->port());
    Poco::Net::HTTPRequest request("POST", "/sql", Poco::Net::HTTPMessage::HTTP_1_1);
    request.setContentType("application/json");
    request.setContentLength(static_cast<std::streamsize>(body.size()));
    session.sendRequest(request) << body;
    Poco::StreamCopier::copyToString(session.receiveResponse(response), answer);
  } catch (const Poco::Exception& error) {
    throw std::runtime_error("cannot ask the server at " + options.admin + ": " +
                             error.displayText());
  }
  json parsed = json::parse(answer, nullptr, false);
  if (response.getStatus() == 200 && parsed.is_object()) return parsed;
  if (response.getStatus() == 404) throw std::runtime_error(no_such_room(options.room));
  throw std::runtime_error(parsed.is_object() && parsed.contains("error")
                               ? parsed["error"].get<std::string>()
                               : "the server answered " + std::to_string(response.getStatus()) +
                                     ": is " + options.admin + " the --admin address of one?");
}

std::string readable(const json& value) {
  if (value.is_null()) return "NULL";
  if (value.is_string()) return printable(value.get<std::string>());
  if (value.is_object()) return "x'" + value.value("hex", "") + "'";
  return value.dump();
}

void print_table(const json& answer) {
  std::vector<Column> columns;
  for (const json& name : answer.at("columns"))
    columns.push_back({printable(name.get<std::string>())});
  if (columns.empty()) return;
  std::vector<std::vector<std::string>> lines;
  for (const json& row : answer.at("rows")) {
    std::vector<std::string>& line = lines.emplace_back();
    for (std::size_t i = 0; i < columns.size(); ++i) {
      line.push_back(readable(row.at(i)));
      columns[i].right = columns[i].right || row.at(i).is_number();
    }
  }
  std::fputs(table(columns, lines).c_str(), stdout);
}

void run(const Options& options) {
  const Place place = parse_place(options.room);
  const json answer =
      options.admin.empty() ? read_folder(options, place) : ask_server(options, place);
  if (!options.json) return print_table(answer);
  std::puts(answer.dump(-1, ' ', false, json::error_handler_t::replace).c_str());
}

}  // namespace

int sql(int argc, char** argv) {
  Options options;
  CLI::App app("Reads the database of one room.", argv[0]);
  app.footer(footer);
  app.add_option("room", options.room, "the class, or its segment in URLs, and the room")
      ->type_name("CLASS/ROOM")
      ->required();
  app.add_option("query", options.query, "what to ask SQLite")->type_name("QUERY")->required();
  CLI::Option* data =
      app.add_option("--data", options.data, "the data folder (default ./ringroom-data)")
          ->type_name("DIR");
  app.add_option("--admin", options.admin, "ask the server that runs, at its --admin address")
      ->type_name("ADDR:PORT")
      ->excludes(data);
  app.add_flag("--json", options.json,
               "one JSON object: columns, and rows as lists; a blob is {\"hex\": …}");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 1;
  }
  try {
    run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ringroom sql: %s\n", error.what());
    return 1;
  }
  return 0;
}

}  // namespace ringroom::inspect
