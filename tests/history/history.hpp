// # The history
//
// One line of JSON for each operation, when it is over; for one that changes
// something, another one before it begins, because a process may be killed in
// between. Times are microseconds of CLOCK_MONOTONIC, the same for all
// processes of the machine. check_history.py says what the fields mean.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jars.hpp"

namespace sancho::history {

std::int64_t now();

// What a session held when the request began.
struct Saw {
  std::string user;
  std::vector<std::uint64_t> set, log;
  std::int64_t count = 0;
};

struct Operation {
  std::uint64_t number = 0;
  unsigned process = 0, thread = 0;
  std::string_view kind;
  int session = no_session;            // that the cookie was for
  std::optional<int> becomes;          // log_in: the new one
  std::optional<std::uint64_t> value;  // what is written, added, or the form's number
  bool renew = false;                  // asks for a new id besides
  bool audit = false;

  // When it began, when the session was there, when what acts at once had acted,
  // when all was over. Zero: it never came to that.
  std::int64_t began = 0, loaded = 0, acted = 0, ended = 0;
  std::optional<Saw> saw;           // nothing: the cookie opened no session
  bool claimed = false;             // consume: won
  std::string_view outcome = "ok";  // or not_found, dropped, lost, or the kind of trouble
  bool maybe = false;               // trouble: it may have happened nevertheless
  std::string message;
};

class History {
 public:
  // Appends to the file. Throws `std::runtime_error`.
  explicit History(const std::string& path);
  ~History();
  History(const History&) = delete;
  History& operator=(const History&) = delete;

  void begins(const Operation& operation);
  void is_over(const Operation& operation);
  // A line of its own, without the braces.
  void note(const std::string& fields);

 private:
  int file_;
};

// As JSON has it, with the quotes.
std::string quoted(std::string_view text);

}  // namespace sancho::history
