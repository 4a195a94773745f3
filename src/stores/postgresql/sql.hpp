// Every statement that is prepared and kept, for the tables of one namespace.
// docs/stores/postgresql.md says why each decides rightly beside others.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

namespace sancho::postgresql {

enum class Sql {
  load,
  create,
  create_admitted,
  commit,
  touch,
  erase,
  sweep,
  sweep_idle,
  walk,
  by_subject,
  count,
  epochs,
  set_epoch,
  lock_shared,
  lock_for_cap,
  lock,
};
inline constexpr std::size_t sql_count = static_cast<std::size_t>(Sql::lock) + 1;

// The tables' names. They are plain identifiers: a namespace is of a-z, 0-9 and _.
struct Tables {
  explicit Tables(const std::string& name_space);
  std::string sessions, epochs, schema;
};

class Statements {
 public:
  explicit Statements(const Tables& tables);
  const std::string& text(Sql sql) const { return texts_[static_cast<std::size_t>(sql)]; }
  // What a connection knows it by, once it is prepared.
  static std::string name(Sql sql) { return "sancho_" + std::to_string(static_cast<int>(sql)); }

 private:
  std::array<std::string, sql_count> texts_;
};

}  // namespace sancho::postgresql
