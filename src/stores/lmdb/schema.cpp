#include "stores/lmdb/schema.hpp"

#include <charconv>

#include "stores/lmdb/failure.hpp"

namespace sancho::lmdb {

namespace {
// In LMDB's main table, where the names of the others stand too: whose database
// this is, and the number of its schema in decimal.
constexpr std::string_view mark = "sancho";
constexpr auto current = Layout::one_tree;
constexpr const char* looking = "looking at its schema";

std::string decimal(Layout layout) { return std::to_string(static_cast<unsigned>(layout)); }

Table main_table(const Transaction& t) {
  Table table;
  check(t.environment().store(), looking, mdb_dbi_open(t.raw(), nullptr, 0, &table.tree));
  return table;
}

// How is it laid out? Nothing for an empty one. Throws if it is not ours.
std::optional<Layout> layout_of(const Transaction& t) {
  const auto& store = t.environment().store();
  const auto main = main_table(t);
  MDB_val k{mark.size(), const_cast<char*>(mark.data())}, v{};
  const int rc = mdb_get(t.raw(), main.tree, &k, &v);
  if (rc == MDB_NOTFOUND && t.empty(main.tree)) return std::nullopt;
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
  if (number > static_cast<unsigned>(current))
    throw StoreError(Trouble::unavailable,
                     store + ": its schema is number " + std::to_string(number) + " and this program knows " +
                         decimal(current) + "; a newer version of sancho made it: run that one, or name another directory");
  return static_cast<Layout>(number);
}

// A namespace has no slash, so no prefix is another's beginning, nor the mark's.
Tables one_tree(const Transaction& t, const std::string& name_space) {
  const auto tree = main_table(t).tree;
  const auto part = [&](const char* kind) { return Table{tree, kind + name_space + "/"}; };
  return {.layout = Layout::one_tree, .sessions = part("s"), .due = part("d"), .subjects = part("u"), .epochs = part("e")};
}

// Nothing if one of them is not there and may not be made.
std::optional<Tables> many_trees(const Transaction& t, const std::string& name_space, unsigned flags) {
  const auto prefix = name_space.empty() ? std::string("sancho_") : "sancho_" + name_space + "_";
  Tables tables;
  tables.layout = Layout::many_trees;
  const struct {
    const char* name;
    Table& table;
  } all[] = {
      {"sessions", tables.sessions}, {"due", tables.due}, {"subjects", tables.subjects}, {"epochs", tables.epochs}};
  for (const auto& [name, table] : all) {
    const int rc = mdb_dbi_open(t.raw(), (prefix + name).c_str(), flags, &table.tree);
    if (rc == MDB_NOTFOUND) return std::nullopt;
    check(t.environment().store(), looking, rc);
  }
  return tables;
}

std::optional<Tables> tables_of(const Transaction& t, Layout layout, const std::string& name_space, unsigned flags) {
  if (layout == Layout::one_tree) return one_tree(t, name_space);
  return many_trees(t, name_space, flags);
}
}  // namespace

// LMDB wants tables opened by one transaction of a process at a time.
Tables set_up(Environment& environment, const std::string& name_space, bool read_only, Deadline deadline) {
  environment.require_own_process();
  const std::lock_guard lock(environment.tables_mutex());
  auto& known = environment.tables();
  {
    Reading reading(environment, deadline, looking);
    if (const auto layout = layout_of(reading)) {
      if (const auto at = known.find(name_space); at != known.end()) return at->second;
      if (const auto tables = tables_of(reading, *layout, name_space, 0)) {
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
  const auto layout = layout_of(writing);
  if (!layout) writing.put(main_table(writing), mark, decimal(current));
  const auto tables = tables_of(writing, layout.value_or(current), name_space, MDB_CREATE);
  writing.commit();
  return known[name_space] = tables.value();
}

}  // namespace sancho::lmdb
