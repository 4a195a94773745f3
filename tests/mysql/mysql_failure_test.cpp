// What each error of a server means.
#include <gtest/gtest.h>

#include "stores/mysql/failure.hpp"

namespace sancho::mysql {
namespace {

struct Row {
  unsigned code;
  Trouble kind;
  bool not_done;
  Remedy remedy;
};

TEST(MysqlFailure, EachErrorHasItsMeaning) {
  const Row rows[] = {
      {1205, Trouble::contention, true, Remedy::again},       // lock wait timeout
      {1213, Trouble::contention, true, Remedy::again},       // deadlock, certification failed
      {1969, Trouble::unavailable, true, Remedy::none},       // max_statement_time
      {1047, Trouble::unavailable, true, Remedy::elsewhere},  // Galera: not ready
      {1290, Trouble::unavailable, true, Remedy::elsewhere},  // read-only
      {1792, Trouble::unavailable, true, Remedy::elsewhere},
      {1040, Trouble::unavailable, true, Remedy::elsewhere},   // too many connections
      {1180, Trouble::unavailable, false, Remedy::elsewhere},  // the commit failed: Galera lost its cluster
      {1053, Trouble::unavailable, false, Remedy::elsewhere},  // shutdown
      {1317, Trouble::unavailable, false, Remedy::elsewhere},  // killed
      {1927, Trouble::unavailable, false, Remedy::elsewhere},
      {1021, Trouble::full, true, Remedy::none},
      {1114, Trouble::full, true, Remedy::none},
      {1045, Trouble::refused, true, Remedy::none},        // password
      {1049, Trouble::refused, true, Remedy::none},        // database
      {1142, Trouble::refused, true, Remedy::none},        // rights
      {1153, Trouble::refused, true, Remedy::none},        // packet too large
      {65000, Trouble::unavailable, false, Remedy::none},  // one that we do not know
  };
  for (const auto& row : rows) {
    const auto meaning = meaning_of(row.code);
    EXPECT_EQ(meaning.kind, row.kind) << row.code;
    EXPECT_EQ(meaning.not_done, row.not_done) << row.code;
    EXPECT_EQ(meaning.remedy, row.remedy) << row.code;
  }
}

TEST(MysqlFailure, AMessageSaysWhatHappenedAndWhatToDo) {
  const Failure f{.code = 1153, .reach = Failure::Reach::answered, .maybe_done = false, .timed_out = false};
  EXPECT_EQ(message_of(f, "mysql://db/shop", "committing a session"),
            "mysql://db/shop: committing a session: error 1153, the record is too large for the server: raise "
            "max_allowed_packet");
  const Failure late{.code = 2013, .reach = Failure::Reach::lost, .maybe_done = true, .timed_out = true};
  EXPECT_EQ(message_of(late, "mysql://db/shop", "committing a session"),
            "mysql://db/shop: the deadline passed while committing a session");
}

}  // namespace
}  // namespace sancho::mysql
