#include "sim_player.h"

#include <utility>

namespace ringroom::sim {

namespace {

constexpr std::uint16_t close_code = 4321;

constexpr std::string_view ending_names[] = {"close",   "close and fin", "fin",    "kick",
                                             "garbage", "reset",         "vanish", "stay"};

std::string path_of(const std::string& id, const Behaviour& behaviour) {
  return "/agents/" + behaviour.room_class + "/" + behaviour.room + "?_pk=" + id;
}

}  // namespace

SimPlayer::SimPlayer(std::string id,
                     const Behaviour& behaviour,
                     SimClient client,
                     std::uint64_t seed)
    : id_(std::move(id)),
      behaviour_(behaviour),
      random_(seed),
      socket_(std::move(client), path_of(id_, behaviour), seed + 1),
      break_at_(random_.next() % (behaviour.messages + 1)) {}

bool SimPlayer::chance(double probability) {
  return static_cast<double>(random_.next() >> 11) * 0x1.0p-53 < probability;
}

// Most are small; one in eight is of any size up to the largest.
std::string SimPlayer::payload(std::string_view id, std::size_t number, std::size_t bytes_max) {
  std::string text = std::string(id) + ":" + std::to_string(number) + ":";
  base::Random random(std::hash<std::string>{}(text));
  const std::size_t size = random.next() % 8 == 0 ? random.next() % (bytes_max + 1)
                                                  : random.next() % (bytes_max / 16 + 1);
  std::uint64_t bits = random.next();
  for (std::size_t i = 0; i < size; ++i) {
    text += static_cast<char>('a' + (bits >> 59) % 26);
    bits = bits * 6364136223846793005ULL + 1442695040888963407ULL;
  }
  return text;
}

void SimPlayer::send_message() {
  const std::size_t fragments = chance(0.2) ? 1 + random_.next() % 4 : 1;
  socket_.send(payload(sent_), chance(0.5), fragments);
  ++sent_;
  if (chance(0.1)) socket_.ping("ping");
}

void SimPlayer::step() {
  const bool reads = hurried_ || chance(behaviour_.read_probability);
  socket_.step(hurried_ ? SIZE_MAX : behaviour_.bytes_per_step, reads);
  if (socket_.is_over() || ended_) {
    if (fin_due_ && socket_.queued_bytes() == 0 && !socket_.is_over()) {
      socket_.client().close_write();
      fin_due_ = false;
    }
    return;
  }
  const bool breaks = behaviour_.ending == Ending::reset || behaviour_.ending == Ending::vanish;
  if (breaks && sent_ >= break_at_ && (sent_ > 0 || chance(0.1))) return end();
  if (socket_.status() != 101 && !behaviour_.eager) return;
  if (socket_.close_code()) return;
  if (!has_sent_all()) {
    if (hurried_ || chance(behaviour_.send_probability)) send_message();
  } else if (!behaviour_.stays_till_told || told_) {
    end();
  }
}

void SimPlayer::end() {
  if (behaviour_.ending == Ending::stay) return;
  ended_ = true;
  switch (behaviour_.ending) {
    case Ending::close: return socket_.send_close(close_code, "done");
    case Ending::close_and_fin: fin_due_ = true; return socket_.send_close(close_code, "done");
    case Ending::fin: fin_due_ = true; return;
    case Ending::kick: return socket_.send(kick_me);
    case Ending::garbage: return socket_.send_raw("\x83\x80....");
    case Ending::reset: return socket_.reset();
    case Ending::vanish: return socket_.vanish();
    case Ending::stay: return;
  }
}

std::string SimPlayer::name() const {
  return id_ + " (" + std::string(ending_names[static_cast<std::size_t>(behaviour_.ending)]) +
         " at " + behaviour_.room_class + "/" + behaviour_.room + ")";
}

bool SimPlayer::must_be_delivered() const {
  if (socket_.status() != 101 || socket_.was_reset()) return false;
  if (behaviour_.ending == Ending::vanish) return false;
  if (socket_.close_code() == 1013 || socket_.close_code() == 1001) return false;
  // One that reads too slowly may be given up, and its FIN be quicker than our close frame.
  const bool fin_only = behaviour_.ending == Ending::fin && !socket_.close_code();
  if (fin_only && behaviour_.may_be_given_up) return false;
  return has_sent_all() && socket_.queued_bytes() == 0;
}

std::string SimPlayer::check(const Journal::Entry& journal) const {
  if (std::string wrong = check_socket(); !wrong.empty()) return wrong;
  if (journal.connects > 1 || journal.connects != journal.closes) {
    return name() + ": " + std::to_string(journal.connects) + " on_connect, " +
           std::to_string(journal.closes) + " on_close";
  }
  if (socket_.status() == 101 && journal.connects != 1)
    return name() + ": a 101 without on_connect";
  if (must_be_delivered()) {
    const std::size_t kicks = behaviour_.ending == Ending::kick ? 1 : 0;
    if (journal.messages != sent_ + kicks) {
      return name() + ": sent " + std::to_string(sent_) + ", the agent got " +
             std::to_string(journal.messages);
    }
    return check_end(journal);
  }
  return {};
}

std::string SimPlayer::check_socket() const {
  if (!socket_.fault().empty()) return name() + ": " + socket_.fault();
  if (!socket_.is_over()) {
    return name() + ": never ended, status " + std::to_string(socket_.status()) + ", sent " +
           std::to_string(sent_) + ", got " + std::to_string(socket_.messages().size());
  }
  const Ending ending = behaviour_.ending;
  if (ended_ && (ending == Ending::reset || ending == Ending::vanish)) return {};
  if (socket_.client().saw_reset()) {
    return socket_.client().was_cut() ? "" : name() + ": the server reset the connection";
  }
  if (socket_.status() != 101 || (ended_ && ending == Ending::fin)) return {};
  if (!socket_.close_code()) return name() + ": the server closed without a close frame";
  const bool early = *socket_.close_code() == 1013 || *socket_.close_code() == 1001;
  if (!ended_ && !early) return name() + ": closed with " + std::to_string(*socket_.close_code());
  return {};
}

std::string SimPlayer::check_end(const Journal::Entry& journal) const {
  const auto wanted = [&](std::uint16_t on_wire, std::uint16_t told, bool clean) -> std::string {
    if (socket_.close_code() != on_wire) {
      return name() + ": the server's close code is " +
             std::to_string(socket_.close_code().value_or(0)) + ", not " + std::to_string(on_wire);
    }
    if (journal.close_code == told && journal.was_clean == clean) return {};
    return name() + ": on_close was told " + std::to_string(journal.close_code) +
           (journal.was_clean ? ", clean" : ", not clean");
  };
  switch (behaviour_.ending) {
    case Ending::close:
    case Ending::close_and_fin: return wanted(close_code, close_code, true);
    case Ending::kick: return wanted(4001, 4001, true);
    case Ending::garbage: return wanted(1002, 1002, false);
    case Ending::fin:
      return journal.close_code == 1006 ? "" : name() + ": FIN wasn't an abnormal end";
    default: return {};
  }
}

}  // namespace ringroom::sim
