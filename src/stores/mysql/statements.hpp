// The text of every statement. Bytes are written as hexadecimal literals, and
// nothing else that comes from outside stands in a statement but numbers.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "sancho/record.hpp"
#include "sancho/store.hpp"

namespace sancho::mysql {

// Everyone's epoch stands in as many rows, which are called gates; see
// mysql_epochs.cpp.
inline constexpr unsigned gates = 16;

// The columns of a record in the order in which `record_of` reads them; in the
// second, what is large or long is left out.
#define SANCHO_MYSQL_RECORD "inc,n,state,created,accessed,idle,ends,handle,subject,payload"
#define SANCHO_MYSQL_OUTLINE "inc,n,state,created,accessed,idle,ends,handle,x'',x''"

class Statements {
 public:
  // `ahead`: so much is added to the server's clock, for tests; null for nothing.
  Statements(const std::string& name_space, const std::atomic<std::int64_t>* ahead);

  const std::string& sessions() const { return sessions_; }
  const std::string& epochs() const { return epochs_; }
  const std::string& everyone() const { return everyone_; }

  // Rows: the time of the beginning, then the record.
  std::string load(const SessionKey& key) const;
  // Rows: the time of the beginning, the key, then the record.
  std::string page_after(const std::string& raw_key, std::size_t size, bool with_payload) const;
  std::string by_subject(std::string_view subject) const;
  std::string count() const;

  std::string insert(const SessionKey& key, const Record& record) const;
  // Over a record that has expired.
  std::string replace(const SessionKey& key, const Record& record) const;
  std::string commit(const SessionKey& key, const Version& expected, const Record& record) const;
  std::string touch(const SessionKey& key, std::uint64_t incarnation, Time accessed) const;
  // Exactly this record.
  std::string erase(const SessionKey& key, const Record& record) const;

  // Locks what is due, leaving out what others have locked. Rows as of a page.
  std::string lock_due(std::size_t most) const;
  // Locks what of these is live and was not accessed since. Rows as of a page.
  std::string lock_idle(const std::vector<std::string>& raw_keys, Time accessed_before) const;
  std::string remove(const std::vector<std::string>& raw_keys) const;
  std::string put_off(const std::string& raw_key, std::int64_t due) const;
  std::string forget_epochs() const;

  // Locks a subject's row, by writing to it.
  std::string enter(std::string_view subject) const;
  // Locks a gate: by writing to it, or with a shared lock.
  std::string pass_by_writing(unsigned gate) const;
  std::string pass_by_sharing(unsigned gate) const;
  // A row: the subject's epoch or NULL, the gate's.
  std::string epochs_at(std::string_view subject, unsigned gate) const;
  // A row: how many other sessions the record's subject has.
  std::string others(const Record& record) const;
  std::string set_epoch(std::string_view subject, std::uint64_t epoch, Time until) const;
  // A row: the subject's epoch or NULL; everyone's, the number of its last
  // change, and the lowest number among the gates.
  std::string epochs_of(std::string_view subject) const;
  // Its `insert_id` is the number of this change.
  std::string set_everyones_epoch(std::uint64_t epoch) const;
  std::string close_gate(unsigned gate, std::uint64_t epoch, std::uint64_t change) const;

 private:
  std::string now_at_beginning() const;
  std::string now_at_row() const;
  std::string alive() const;
  std::string plus_ahead() const;

  std::string sessions_, epochs_, everyone_;
  const std::atomic<std::int64_t>* ahead_;
};

inline std::int64_t milliseconds(Time t) { return t.time_since_epoch().count(); }

}  // namespace sancho::mysql
