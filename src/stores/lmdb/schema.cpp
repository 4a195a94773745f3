#include "stores/lmdb/schema.hpp"

#include <charconv>

#include "stores/lmdb/failure.hpp"

namespace sancho::lmdb {

namespace {
// In LMDB's main table, where the names of the others stand too: whose database
// this is, and the number of its schema in decimal.
constexpr std::string_view mark = "sancho";
constexpr unsigned current = 1;
constexpr const char* looking = "looking at its schema";

MDB_dbi main_table(const Transaction& t) {
  MDB_dbi table = 0;
  check(t.environment().store(), looking, mdb_dbi_open(t.raw(), nullptr, 0, &table));
  return table;
}

// Is it ours and as it should be? False for an empty one.
bool marked(const Transaction& t) {
  const auto& store = t.environment().store();
  const auto table = main_table(t);
  MDB_val k{mark.size(), const_cast<char*>(mark.data())}, v{};
  const int rc = mdb_get(t.raw(), table, &k, &v);
  if (rc == MDB_NOTFOUND && t.size(table) == 0) return false;
  unsigned number = 0;
  if (rc == MDB_SUCCESS) {
    const auto* text = static_cast<const char*>(v.mv_data);
    const auto [end, error] = std::from_chars(text, text + v.mv_size, number);
    if (error != std::errc{} || end != text + v.mv_size) number = 0;
  } else if (rc != MDB_NOTFOUND && rc != MDB_INCOMPATIBLE) {
    fail(store, looking, rc);
  }
  if (number == 0)
    throw StoreError(Trouble::refused,
                     store + ": this is another application's database; name a directory of its own for the sessions");
  if (number > current)
    throw StoreError(Trouble::unavailable,
                     store + ": its schema is number " + std::to_string(number) + " and this program knows " +
                         std::to_string(current) +
                         "; a newer version of sancho made it: run that one, or name another directory");
  return true;
}

// Nothing if one of them is not there and may not be made.
std::optional<Tables> tables_of(const Transaction& t, const std::string& name_space, unsigned flags) {
  const auto prefix = name_space.empty() ? std::string("sancho_") : "sancho_" + name_space + "_";
  Tables tables;
  const struct {
    const char* name;
    MDB_dbi& table;
  } all[] = {
      {"sessions", tables.sessions}, {"due", tables.due}, {"subjects", tables.subjects}, {"epochs", tables.epochs}};
  for (const auto& [name, table] : all) {
    const int rc = mdb_dbi_open(t.raw(), (prefix + name).c_str(), flags, &table);
    if (rc == MDB_NOTFOUND) return std::nullopt;
    check(t.environment().store(), looking, rc);
  }
  return tables;
}
}  // namespace

// LMDB wants tables opened by one transaction of a process at a time.
Tables set_up(Environment& environment, const std::string& name_space, bool read_only, Deadline deadline) {
  environment.require_own_process();
  const std::lock_guard lock(environment.tables_mutex());
  auto& known = environment.tables();
  {
    Reading reading(environment, deadline, looking);
    if (marked(reading)) {
      if (const auto at = known.find(name_space); at != known.end()) return at->second;
      if (const auto tables = tables_of(reading, name_space, 0)) {
        reading.keep_tables();
        return known[name_space] = *tables;
      }
    }
  }
  if (read_only || environment.read_only())
    throw StoreError(
        Trouble::refused,
        environment.store() + ": it is read-only and has not the tables of this version; open it once for writing");
  Writing writing(environment, deadline, "making its tables", Room::leave);
  if (!marked(writing)) writing.put(main_table(writing), mark, std::to_string(current));
  const auto tables = tables_of(writing, name_space, MDB_CREATE);
  writing.commit();
  return known[name_space] = tables.value();
}

}  // namespace sancho::lmdb
