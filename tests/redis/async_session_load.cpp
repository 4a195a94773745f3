// The load of tests/history on the asynchronous Redis stores, which are waited for.
#include "../history/load.hpp"
#include "open.hpp"
#include "stores/redis/uri_options.hpp"

int main(int count, char** words) {
  const auto open = [](const std::string& uri) {
    return sancho::test::open_redis(sancho::redis::options_of(sancho::StoreUri::parse(uri)));
  };
  return sancho::history::main_with(open, count, words);
}
