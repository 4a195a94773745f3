#include "stores/postgresql/meaning.hpp"

namespace sancho::postgresql {

namespace {

constexpr std::string_view rights = "; give the role the rights that docs/stores/postgresql.md lists";
constexpr std::string_view login = "; see the user, the password and the server's pg_hba.conf";
constexpr std::string_view foreign =
    "; the tables are not there or not what this version made: let a role that may create tables open the store once";

struct Known {
  std::string_view begins;  // a code, or a class of codes
  Meaning meaning;
};

// The first that fits counts. Damage of files is *unavailable*, not *corrupt*:
// that word says that one record is lost and its visitor may start anew, and a
// broken disk must not log everybody out.
constexpr Known table[] = {
    {"0A000", {Trouble::unavailable, Next::elsewhere}},  // a prepared plan that the tables have outgrown
    {"08", {Trouble::unavailable, Next::elsewhere}},
    {"22", {Trouble::refused, Next::give_up}},
    {"23", {Trouble::refused, Next::give_up}},
    {"25006", {Trouble::unavailable, Next::elsewhere, "; the server is read-only: name the one that takes writes too"}},
    {"25", {Trouble::unavailable, Next::elsewhere}},
    {"26000", {Trouble::unavailable, Next::elsewhere, "; a pooler before the server must keep prepared statements"}},
    {"28", {Trouble::refused, Next::give_up, login}},
    {"3D000", {Trouble::refused, Next::give_up, "; create the database, or name another"}},
    {"3F000", {Trouble::refused, Next::give_up, "; see the role's search_path"}},
    {"40003", {Trouble::unavailable, Next::elsewhere}},
    {"40", {Trouble::contention, Next::again}},
    {"42501", {Trouble::refused, Next::give_up, rights}},
    {"42", {Trouble::refused, Next::give_up, foreign}},
    {"53100", {Trouble::full, Next::give_up, "; nothing was written: make room on the server's disk"}},
    {"53300", {Trouble::unavailable, Next::give_up, "; raise the server's max_connections, or lower pool="}},
    {"53", {Trouble::unavailable, Next::give_up, "; the server lacks memory or the like"}},
    {"54", {Trouble::refused, Next::give_up, "; the record is larger than the server takes"}},
    {"55P03", {Trouble::contention, Next::again}},
    {"57014", {Trouble::unavailable, Next::give_up, "; the server cancelled it: see its statement_timeout"}},
    {"57P", {Trouble::unavailable, Next::elsewhere, "; the server is shutting down or starting"}},
    {"58", {Trouble::unavailable, Next::give_up, "; see the server's log for what is wrong with its disk"}},
    {"XX", {Trouble::unavailable, Next::give_up, "; see the server's log"}},
};

}  // namespace

Meaning meaning_of(std::string_view sqlstate) {
  if (sqlstate.empty()) return {Trouble::unavailable, Next::elsewhere};
  for (const auto& row : table)
    if (sqlstate.starts_with(row.begins)) return row.meaning;
  return {};
}

}  // namespace sancho::postgresql
