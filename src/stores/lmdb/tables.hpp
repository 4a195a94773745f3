// Where entries of each kind stand. A database keeps the layout it was made with, so
// that programs which know the old one alone can go on beside this one.
#pragma once

#include <lmdb.h>

#include <string>

namespace sancho::lmdb {

// The number of the schema.
enum class Layout {
  many_trees = 1,  // a table of LMDB's for each kind and namespace; a record has its fields' names
  one_tree = 2,    // all in LMDB's main table; a record has its fields where they belong
};

inline constexpr std::size_t longest_name_space = 32;
// A letter for the kind, the namespace, a slash.
inline constexpr std::size_t longest_prefix = 1 + longest_name_space + 1;

// A table of LMDB's, or as much of one as has keys that begin like this.
struct Table {
  MDB_dbi tree = 0;
  std::string prefix;
};

// Those of one namespace.
struct Tables {
  Layout layout = Layout::one_tree;
  Table sessions, due, subjects, epochs;
};

}  // namespace sancho::lmdb
