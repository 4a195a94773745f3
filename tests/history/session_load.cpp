// # session_load
//
// The load on any store, for check_history.py to judge.
#include "load.hpp"
#include "sancho/open_store.hpp"

int main(int count, char** words) {
  return sancho::history::main_with([](const std::string& uri) { return sancho::open_store(uri); }, count, words);
}
