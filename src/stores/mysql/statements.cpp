#include "stores/mysql/statements.hpp"

#include <fmt/format.h>

namespace sancho::mysql {

namespace {

std::string hex(std::string_view bytes) {
  constexpr const char* digits = "0123456789abcdef";
  std::string text = "x'";
  text.reserve(bytes.size() * 2 + 3);
  for (const char c : bytes) {
    const auto b = static_cast<unsigned char>(c);
    text += digits[b >> 4];
    text += digits[b & 15];
  }
  return text += '\'';
}

// What a subject is found by: of a fixed size, so that it can be indexed.
std::string who(std::string_view subject) {
  if (subject.empty()) return "NULL";
  return hex(SessionKey::of_note("sancho subject", subject).bytes());
}

std::string list(const std::vector<std::string>& raw_keys) {
  std::string text;
  for (const auto& key : raw_keys) text += (text.empty() ? "" : ",") + hex(key);
  return text;
}

// The columns that a commit writes, without the access time.
std::string assignments(const Record& r) {
  return fmt::format("inc={},n={},state={},created={},idle={},ends={},handle={},payload={}", r.version.incarnation,
                     r.version.counter, static_cast<int>(r.state), milliseconds(r.created), r.idle.count(),
                     milliseconds(r.ends), hex(r.handle.text()), hex(r.payload));
}

}  // namespace

Statements::Statements(const std::string& name_space, const std::atomic<std::int64_t>* ahead)
    : sessions_("sancho_" + name_space + (name_space.empty() ? "" : "_") + "sessions"),
      epochs_("sancho_" + name_space + (name_space.empty() ? "" : "_") + "epochs"),
      everyone_("sancho_" + name_space + (name_space.empty() ? "" : "_") + "everyone"),
      ahead_(ahead) {}

// ## What time it is
//
// For what only reads, the moment at which the statement began: a record that it
// shows was there then or has come since. For what changes a row, the moment at
// which it has the row's lock: a statement that waited for it must not bring
// back a record that others found expired meanwhile.
std::string Statements::plus_ahead() const { return ahead_ ? fmt::format("+{}", ahead_->load()) : std::string{}; }
std::string Statements::now_at_beginning() const {
  return "(TIMESTAMPDIFF(MICROSECOND,TIMESTAMP'1970-01-01 00:00:00',UTC_TIMESTAMP(3)) DIV 1000" + plus_ahead() + ")";
}
std::string Statements::now_at_row() const {
  return "(TIMESTAMPDIFF(MICROSECOND,TIMESTAMP'1970-01-01 00:00:00',SYSDATE(3)) DIV 1000" + plus_ahead() + ")";
}
std::string Statements::alive() const { return "IF(state<2,LEAST(accessed+idle,ends),ends)>" + now_at_row(); }

// ## Reading

std::string Statements::load(const SessionKey& key) const {
  return fmt::format("SELECT {}," SANCHO_MYSQL_RECORD " FROM {} WHERE k={}", now_at_beginning(), sessions_,
                     hex(key.bytes()));
}

std::string Statements::page_after(const std::string& raw_key, std::size_t size, bool with_payload) const {
  return fmt::format("SELECT {},k,{} FROM {} WHERE k>{} ORDER BY k LIMIT {}", now_at_beginning(),
                     with_payload ? SANCHO_MYSQL_RECORD : SANCHO_MYSQL_OUTLINE, sessions_, hex(raw_key), size);
}

std::string Statements::by_subject(std::string_view subject) const {
  return fmt::format("SELECT {},k," SANCHO_MYSQL_RECORD " FROM {} WHERE who={} AND subject={} AND state<3",
                     now_at_beginning(), sessions_, who(subject), hex(subject));
}

std::string Statements::count() const {
  return fmt::format("SELECT COUNT(*) FROM {} WHERE state=1 AND LEAST(accessed+idle,ends)>{}", sessions_,
                     now_at_beginning());
}

// ## Writing

std::string Statements::insert(const SessionKey& key, const Record& r) const {
  return fmt::format("INSERT INTO {} SET k={},who={},subject={},accessed={},due={},{}", sessions_, hex(key.bytes()),
                     who(r.subject), hex(r.subject), milliseconds(r.accessed), milliseconds(r.expires()),
                     assignments(r));
}

std::string Statements::replace(const SessionKey& key, const Record& r) const {
  return fmt::format("UPDATE {} SET who={},subject={},due={},{},accessed={} WHERE k={} AND NOT ({})", sessions_,
                     who(r.subject), hex(r.subject), milliseconds(r.expires()), assignments(r),
                     milliseconds(r.accessed), hex(key.bytes()), alive());
}

// The subject stays, and so does the index over it; and `due` only ever moves
// forward, so that most commits write to no index.
std::string Statements::commit(const SessionKey& key, const Version& expected, const Record& r) const {
  return fmt::format(
      "UPDATE {} SET {},accessed=GREATEST(accessed,{}),due=LEAST(due,{}) WHERE k={} AND inc={} AND n={} AND subject={} "
      "AND {}",
      sessions_, assignments(r), milliseconds(r.accessed), milliseconds(r.expires()), hex(key.bytes()),
      expected.incarnation, expected.counter, hex(r.subject), alive());
}

std::string Statements::touch(const SessionKey& key, std::uint64_t incarnation, Time accessed) const {
  return fmt::format("UPDATE {} SET accessed={} WHERE k={} AND inc={} AND state=1 AND accessed<{} AND {}", sessions_,
                     milliseconds(accessed), hex(key.bytes()), incarnation, milliseconds(accessed), alive());
}

std::string Statements::erase(const SessionKey& key, const Record& r) const {
  return fmt::format("DELETE FROM {} WHERE k={} AND inc={} AND n={} AND accessed={} AND {}", sessions_,
                     hex(key.bytes()), r.version.incarnation, r.version.counter, milliseconds(r.accessed), alive());
}

// ## Sweeping

std::string Statements::lock_due(std::size_t most) const {
  return fmt::format("SELECT {0},k," SANCHO_MYSQL_OUTLINE
                     " FROM {1} WHERE due<={0} ORDER BY due LIMIT {2} FOR UPDATE SKIP LOCKED",
                     now_at_beginning(), sessions_, most);
}

std::string Statements::lock_idle(const std::vector<std::string>& raw_keys, Time accessed_before) const {
  return fmt::format("SELECT {},k," SANCHO_MYSQL_OUTLINE
                     " FROM {} WHERE k IN ({}) AND state=1 AND accessed<{} ORDER BY k FOR UPDATE SKIP LOCKED",
                     now_at_beginning(), sessions_, list(raw_keys), milliseconds(accessed_before));
}

std::string Statements::remove(const std::vector<std::string>& raw_keys) const {
  return fmt::format("DELETE FROM {} WHERE k IN ({})", sessions_, list(raw_keys));
}

std::string Statements::put_off(const std::string& raw_key, std::int64_t due) const {
  return fmt::format("UPDATE {} SET due={} WHERE k={}", sessions_, due, hex(raw_key));
}

std::string Statements::forget_epochs() const {
  return fmt::format("DELETE FROM {} WHERE until<={} ORDER BY until LIMIT 1000", epochs_, now_at_beginning());
}

// ## Epochs and caps

// A row that only serves as a lock is kept for an hour.
std::string Statements::enter(std::string_view subject) const {
  return fmt::format(
      "INSERT INTO {} SET who={},epoch=0,until={}+3600000,passed=1 ON DUPLICATE KEY UPDATE passed=passed+1", epochs_,
      who(subject), now_at_beginning());
}

std::string Statements::pass_by_writing(unsigned gate) const {
  return fmt::format("UPDATE {} SET passed=passed+1 WHERE gate={}", everyone_, gate);
}

std::string Statements::pass_by_sharing(unsigned gate) const {
  return fmt::format("SELECT epoch FROM {} WHERE gate={} LOCK IN SHARE MODE", everyone_, gate);
}

std::string Statements::epochs_at(std::string_view subject, unsigned gate) const {
  return fmt::format("SELECT (SELECT epoch FROM {} WHERE who={}),(SELECT epoch FROM {} WHERE gate={})", epochs_,
                     who(subject), everyone_, gate);
}

std::string Statements::others(const Record& r) const {
  return fmt::format(
      "SELECT COUNT(DISTINCT handle) FROM {} WHERE who={} AND subject={} AND state<2 AND handle<>{} AND {}", sessions_,
      who(r.subject), hex(r.subject), hex(r.handle.text()), alive());
}

std::string Statements::set_epoch(std::string_view subject, std::uint64_t epoch, Time until) const {
  return fmt::format(
      "INSERT INTO {0} SET who={1},epoch={2},until={3},passed=1"
      " ON DUPLICATE KEY UPDATE epoch={2},until=GREATEST(until,{3}),passed=passed+1",
      epochs_, who(subject), epoch, milliseconds(until));
}

std::string Statements::epochs_of(std::string_view subject) const {
  return fmt::format(
      "SELECT (SELECT epoch FROM {0} WHERE who={1}),epoch,seq,(SELECT MIN(seq) FROM {2} WHERE gate>0) FROM {2} WHERE "
      "gate=0",
      epochs_, who(subject), everyone_);
}

std::string Statements::set_everyones_epoch(std::uint64_t epoch) const {
  return fmt::format("UPDATE {} SET epoch={},seq=LAST_INSERT_ID(seq+1),passed=passed+1 WHERE gate=0", everyone_, epoch);
}

std::string Statements::close_gate(unsigned gate, std::uint64_t epoch, std::uint64_t change) const {
  return fmt::format("UPDATE {} SET epoch={},seq={},passed=passed+1 WHERE gate={} AND seq<{}", everyone_, epoch, change,
                     gate, change);
}

}  // namespace sancho::mysql
