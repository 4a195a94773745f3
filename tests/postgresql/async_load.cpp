// The load of tests/history, on the asynchronous store that is waited for.
#include "../history/load.hpp"
#include "database.hpp"

int main(int count, char** words) {
  return sancho::history::main_with([](const std::string& uri) { return sancho::postgresql_test::open_under_test(uri); }, count, words);
}
