// What an agent may ask of its database, and what it is told. Error texts are those of the Agents
// SDK's recordings.
#include "store_fixture.h"

#include <cmath>
#include <limits>

namespace ringroom::store {
namespace {

class DatabaseTest : public testing::Test {
 protected:
  RunningStore store;
  RoomStore room{*store, {.class_name = "Lab", .room = "x"}, 0};
};

TEST_F(DatabaseTest, KeepsEveryType) {
  const SqlValue::Blob bytes = {std::byte{0}, std::byte{255}};
  const SqlRows rows = run(room, "SELECT ? AS i, ? AS r, ? AS s, ? AS b, ? AS n, ? AS z",
                           {std::numeric_limits<std::int64_t>::min(), 1.5, "a\xc3\xa4", bytes,
                            nullptr, SqlValue::Blob()});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows.front()["i"].integer(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(rows.front()["r"].real(), 1.5);
  EXPECT_EQ(rows.front()["s"].text(), "a\xc3\xa4");
  EXPECT_EQ(rows.front()["b"].blob(), bytes);
  EXPECT_TRUE(rows.front()["n"].is_null());
  EXPECT_TRUE(rows.front()["z"].blob().empty());
  EXPECT_THROW(static_cast<void>(rows.front()["s"].integer()), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(rows.front()["nope"]), std::out_of_range);
}

TEST_F(DatabaseTest, OfSeveralStatementsTheLastOneAnswers) {
  const SqlRows rows =
      run(room, "CREATE TABLE t (a); INSERT INTO t VALUES (1); SELECT a + ? FROM t;  ", {1});
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows.front()[0].integer(), 2);
  EXPECT_TRUE(run(room, "INSERT INTO t VALUES (2)").empty());
  EXPECT_TRUE(run(room, " -- nothing").empty());
}

TEST_F(DatabaseTest, FailsInSqlitesWords) {
  EXPECT_EQ(cause_of_failure(room, "SELEKT 1"),
            "near \"SELEKT\": syntax error at offset 0: SQLITE_ERROR");
  EXPECT_EQ(cause_of_failure(room, "SELECT * FROM nope"), "no such table: nope: SQLITE_ERROR");
  run(room, "CREATE TABLE t (id TEXT NOT NULL)");
  EXPECT_EQ(cause_of_failure(room, "INSERT INTO t VALUES (NULL)"),
            "NOT NULL constraint failed: t.id: SQLITE_CONSTRAINT (extended: "
            "SQLITE_CONSTRAINT_NOTNULL)");
  EXPECT_EQ(cause_of_failure(room, "CREATE TABLE _cf_x (a)"), "not authorized: SQLITE_AUTH");
  try {
    run(room, "SELEKT 1");
    FAIL();
  } catch (const SqlError& error) {
    EXPECT_EQ(error.query(), "SELEKT 1");
    EXPECT_EQ(std::string(error.what()), "SQL query failed: " + error.cause());
  }
}

TEST_F(DatabaseTest, TransactionsAreNotMadeBySql) {
  for (const char* query : {"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT a", "RELEASE a"}) {
    EXPECT_TRUE(cause_of_failure(room, query).starts_with("To execute a transaction, please use"))
        << query;
  }
}

TEST_F(DatabaseTest, ReachesNothingElse) {
  run(room, "CREATE TABLE t (a)");
  for (const char* query :
       {"ATTACH ':memory:' AS other", "ATTACH '/etc/passwd' AS p", "DETACH main", "VACUUM",
        "VACUUM INTO '/tmp/ringroom-vacuum'", "SELECT load_extension('x')",
        "PRAGMA journal_mode = DELETE", "PRAGMA user_version = 9", "PRAGMA writable_schema = ON",
        "SELECT * FROM _cf_room", "SELECT * FROM _CF_room", "DROP TABLE _cf_room",
        "UPDATE _cf_room SET value = 1", "ALTER TABLE t RENAME TO _cf_t",
        "CREATE INDEX i ON _cf_room (value)", "CREATE VIRTUAL TABLE d USING dbstat",
        "DELETE FROM sqlite_master", "CREATE TEMP TABLE _cf_y (a)"}) {
    EXPECT_NE(cause_of_failure(room, query), "") << query;
  }
  EXPECT_FALSE(std::filesystem::exists("/tmp/ringroom-vacuum"));
  EXPECT_EQ(cause_of_failure(room, "PRAGMA table_info(t)"), "");
  EXPECT_EQ(cause_of_failure(room, "CREATE VIRTUAL TABLE f USING fts5(a)"), "");
}

TEST_F(DatabaseTest, CountsItsValues) {
  EXPECT_TRUE(cause_of_failure(room, "SELECT ?").starts_with("Wrong number of parameter bindings"));
  EXPECT_NE(cause_of_failure(room, "SELECT 1", {1}), "");
}

TEST_F(DatabaseTest, AStatementEndsInTime) {
  StoreOptions options;
  options.limits.query_time_max = std::chrono::milliseconds(20);
  Store limited(nullptr, options);
  RoomStore other(limited, {"Lab", "slow"}, 0);
  EXPECT_EQ(cause_of_failure(other,
                             "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
                             "SELECT count(*) FROM n"),
            "interrupted: SQLITE_INTERRUPT");
  EXPECT_EQ(cause_of_failure(other, "SELECT 1"), "");
}

TEST_F(DatabaseTest, HasALimit) {
  StoreOptions options;
  options.limits.database_bytes_max = 32 * page_bytes;
  Store limited(nullptr, options);
  RoomStore other(limited, {"Lab", "full"}, 0);
  run(other, "CREATE TABLE t (a)");
  limited.commit_turn([](RoomStore&, Committed) {});
  EXPECT_EQ(cause_of_failure(other, "INSERT INTO t VALUES (zeroblob(1000000))"),
            "database or disk is full: SQLITE_FULL");
  EXPECT_EQ(cause_of_failure(other, "INSERT INTO t VALUES (1)"), "");
}

TEST_F(DatabaseTest, NestedTransactionsAreUndoneAlone) {
  run(room, "CREATE TABLE t (a)");
  Database& database = room.database();
  database.begin_nested();
  run(room, "INSERT INTO t VALUES (1)");
  database.begin_nested();
  run(room, "INSERT INTO t VALUES (2)");
  database.undo_nested();
  run(room, "INSERT INTO t VALUES (3)");
  database.end_nested();
  EXPECT_EQ(store.turn(), std::vector{Committed::kept});
  const SqlRows rows = run(room, "SELECT sum(a) AS s FROM t");
  EXPECT_EQ(rows.front()["s"].integer(), 4);
}

TEST_F(DatabaseTest, KeepsFewStatements) {
  for (int i = 0; i < 500; ++i) run(room, "SELECT " + std::to_string(i));
  EXPECT_EQ(run(room, "SELECT 3").front()[0].integer(), 3);
}

TEST_F(DatabaseTest, WhatRollsBackTheTurnLosesIt) {
  run(room, "CREATE TABLE t (a UNIQUE)");
  store.turn();
  run(room, "INSERT INTO t VALUES (1)");
  EXPECT_NE(cause_of_failure(room, "INSERT OR ROLLBACK INTO t VALUES (1)"), "");
  EXPECT_EQ(cause_of_failure(room, "INSERT INTO t VALUES (2)"),
            "a statement has rolled back the whole turn");
  EXPECT_EQ(store.turn(), std::vector{Committed::lost});
  EXPECT_EQ(run(room, "SELECT count(*) FROM t").front()[0].integer(), 0);
}

TEST_F(DatabaseTest, ADeferredConstraintLosesTheTurn) {
  run(room,
      "CREATE TABLE p (id INTEGER PRIMARY KEY); "
      "CREATE TABLE c (p REFERENCES p DEFERRABLE INITIALLY DEFERRED)");
  store.turn();
  run(room, "INSERT INTO c VALUES (7)");
  EXPECT_EQ(store.turn(), std::vector{Committed::lost});
  EXPECT_EQ(run(room, "SELECT count(*) FROM c").front()[0].integer(), 0);
}

}  // namespace
}  // namespace ringroom::store
