// Notebook: an agent with a state and a table, to see what of them a transaction, a crash or a
// sleep leaves.
#include <ringroom/ringroom.h>

#include <stdexcept>

using namespace ringroom;

class Notebook final : public Agent {
 public:
  using Agent::Agent;

  static void describe(AgentClass<Notebook>& c) {
    c.callable("get", &Notebook::get);
    c.callable("set", &Notebook::set);
    c.callable("setAndUndo", &Notebook::set_and_undo);
    c.callable("setThenUndo", &Notebook::set_then_undo);
    c.callable("note", &Notebook::note);
    c.callable("notes", &Notebook::notes);
  }

 private:
  json get() const { return {{"has", has_state()}, {"value", state()}}; }

  json set(const json& value) {
    set_state(value);
    return value;
  }

  // Answers with what the agent takes for its state afterwards.
  json set_and_undo(const json& value) {
    try {
      transaction([&] {
        set_state(value);
        throw std::runtime_error("undone");
      });
    } catch (const std::runtime_error&) {
    }
    return get();
  }

  // The same behind a state of this turn, which stays.
  json set_then_undo(const json& kept, const json& undone) {
    set_state(kept);
    return set_and_undo(undone);
  }

  // A row and the state, in one turn.
  int note(int n) {
    sql("CREATE TABLE IF NOT EXISTS note (n INTEGER PRIMARY KEY)");
    sql("INSERT INTO note VALUES (?)", n);
    set_state(json{{"n", n}});
    return n;
  }

  json notes() {
    const SqlRows rows = sql("SELECT count(*), coalesce(max(n), 0) FROM note");
    return {{"count", rows.front()[0].integer()}, {"last", rows.front()[1].integer()}};
  }
};
RINGROOM_AGENT(Notebook)
