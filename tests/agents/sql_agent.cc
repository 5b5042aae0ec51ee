// SqlAgent: the recorded agent with a table.
#include "recorded.h"

#include <functional>

using namespace ringroom;

class SqlAgent final : public Agent {
 public:
  using Agent::Agent;

  static void describe(AgentClass<SqlAgent>& c) {
    c.callable("basic", &SqlAgent::basic);
    c.callable("bad", &SqlAgent::bad);
    c.callable("badInfo", &SqlAgent::bad_info);
  }

 private:
  struct Shown {
    json operator()(std::monostate) const { return nullptr; }
    json operator()(const SqlValue::Blob&) const { return json::object(); }
    template <typename Plain>
    json operator()(const Plain& plain) const {
      return plain;
    }
  };

  static json shown(const SqlRows& rows) {
    json list = json::array();
    for (const SqlRows::Row row : rows) {
      json& object = list.emplace_back(json::object());
      for (std::size_t i = 0; i < row.size(); ++i) {
        object[rows.columns()[i]] = std::visit(Shown(), row[i].any());
      }
    }
    return list;
  }

  json basic() {
    sql("CREATE TABLE IF NOT EXISTS t (i INTEGER, r REAL, s TEXT, b BLOB, n TEXT)");
    sql("DELETE FROM t");
    const SqlValue::Blob blob = {std::byte{1}, std::byte{2}};
    const SqlRows inserted =
        sql("INSERT INTO t VALUES (?, ?, ?, ?, ?)", 1, 1.5, "x", blob, nullptr);
    const SqlRows rows = sql("SELECT * FROM t");
    const bool is_blob = rows.front()["b"].blob() == blob;
    return {{"insertResult", shown(inserted)},
            {"rows", shown(rows)},
            {"blobType", is_blob ? "ArrayBuffer" : "another"},
            {"isArray", true}};
  }

  json bad() { return shown(sql("SELEKT 1")); }

  json bad_info() {
    json list = json::array();
    for (const char* query :
         {"SELEKT 1", "SELECT * FROM nope", "SELECT 1; SELECT 2", "CREATE TABLE _cf_x (a)"}) {
      try {
        list.push_back(shown(sql(query)));
      } catch (const SqlError& error) {
        list.push_back({{"name", "SqlError"},
                        {"message", error.what()},
                        {"query", error.query()},
                        {"cause", "Error: " + error.cause()}});
      }
    }
    return list;
  }
};
RINGROOM_AGENT(SqlAgent)
