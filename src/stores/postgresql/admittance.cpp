#include "stores/postgresql/admittance.hpp"

#include <fmt/format.h>

#include <new>

#include "stores/postgresql/meaning.hpp"

namespace sancho::postgresql {

void raise(const std::string& store, const char* doing, const Failure& failure, bool writing) {
  const auto meaning = meaning_of(failure.sqlstate);
  const auto code = failure.sqlstate.empty() ? "" : " (" + failure.sqlstate + ")";
  throw StoreError(meaning.kind, fmt::format("{}: {}: {}{}{}", store, doing, failure.what, code, meaning.advice),
                   writing && failure.maybe_done);
}

// A server that answered says more than one that did not.
void keep_worst(Failure& worst, Failure failure) {
  if (worst.what.empty() || failure.answered || !failure.sqlstate.empty()) worst = std::move(failure);
}

namespace {
void ignore(void*, const PGresult*) {}
}  // namespace

Established start(const Settings& settings) {
  std::vector<const char*> keywords, values;
  for (const auto& [keyword, value] : settings) keywords.push_back(keyword.c_str()), values.push_back(value.c_str());
  keywords.push_back(nullptr), values.push_back(nullptr);
  Established c(PQconnectStartParams(keywords.data(), values.data(), 0));
  if (!c) throw std::bad_alloc();
  PQsetErrorVerbosity(c.get(), PQERRORS_VERBOSE);  // with codes
  PQsetNoticeReceiver(c.get(), ignore, nullptr);
  return c;
}

Durability Admittance::durability() const {
  const auto bits = promised_.load();
  return {.crash = (bits & crash) != 0, .power = (bits & power) != 0, .failover = failover_};
}

// What must hold in each session, whatever the role's or database's settings:
//   - each statement sees what was committed before it, which the locks of
//     epochs and caps build upon;
//   - keys are looked up in indexes, also before the server has noticed that
//     the table has grown; and nothing is compiled for the cost that the server
//     then sees in what cannot be done without a scan.
Conversation<std::optional<Failure>> Admittance::settle(int server_version) {
  Script settings;
  settings.sql = "SET default_transaction_isolation = 'read committed'; SET enable_seqscan = off; SET jit = off;";
  if (!synchronous_commit_.empty()) settings.sql += "SET synchronous_commit = " + synchronous_commit_ + ";";
  settings.sql +=
      "SELECT current_setting('synchronous_commit'), current_setting('fsync'), "
      "current_setting('synchronous_standby_names')";
  co_await settings;
  if (settings.reply.failure) co_return settings.reply.failure;
  const auto& row = settings.reply.results.back();
  if (row.rows() != 1) co_return Failure{.sqlstate = {}, .what = "the server does not tell its settings"};
  const auto commit = row.bytes(0, 0).value_or(""), fsync = row.bytes(0, 1).value_or(""),
             standbys = row.bytes(0, 2).value_or("");
  const bool flushed = commit != "off";
  if (auto no = objection({.crash = flushed,
                           .power = flushed && fsync == "on",
                           .failover = !standbys.empty() && (commit == "on" || commit == "remote_apply")}))
    co_return no;
  // Whoever gives up closes the connection. With this the server notices, and
  // does not wait on for a lock. Not every system it runs on can.
  if (server_version >= 140000) {
    Script check{.sql = "SET client_connection_check_interval = 1000"};
    co_await check;
    if (check.reply.failure && check.reply.failure->sqlstate.empty()) co_return check.reply.failure;
  }
  co_return std::nullopt;
}

// What the first connection found is what the application was told at its start,
// and what its policy agreed to. A standby that was promoted has none itself for
// a while: it is taken all the same, unless that was ruled out.
std::optional<Failure> Admittance::objection(const Durability& found) {
  const auto no = [](const char* set, const char* else_do) {
    return Failure{.sqlstate = {},
                   .what = fmt::format("the server keeps less of what it acknowledges than was promised; "
                                       "on it set {}, or {}",
                                       set, else_do),
                   .answered = true};
  };
  if (standby_required_ && !found.failover)
    return no("synchronous_standby_names, and synchronous_commit to on", "leave standby=required out");
  auto promised = nothing_yet;
  const auto now = (found.crash ? crash : 0u) | (found.power ? power : 0u);
  if (promised_.compare_exchange_strong(promised, now)) promised = now;
  const auto missing = promised & ~now;
  if (missing & crash) return no("synchronous_commit to on", "start this program anew");
  if (missing & power) return no("fsync to on", "start this program anew");
  failover_ = found.failover;
  return std::nullopt;
}

}  // namespace sancho::postgresql
