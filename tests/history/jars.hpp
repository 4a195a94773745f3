// # The jars
//
// The browsers' cookie jars, in a file that processes share: it outlives each of
// them, killed or not, and a later audit reads it. A browser has several tabs
// (the workers), and its tabs one jar; a cookie that arrives takes the place of
// the one that is there, whichever request was sent first.
//
// Each session of the run has a number. The history says `s17` where a browser
// would hold a secret.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace sancho::history {

inline constexpr int no_session = -1;

// What a browser sends with a request, and which session it believes that is.
struct Tab {
  unsigned browser = 0;
  int session = no_session;
  std::string cookie;
  bool turned_away = false;  // a stranger on the last page: the login form is next
};

// A form that a page showed. Several tabs may submit it.
struct Form {
  std::uint64_t number = 0;
  int session = no_session;
  std::string token;
};

class Jars {
 public:
  static constexpr unsigned most_browsers = 1024;
  static constexpr int most_sessions = 1 << 16;

  // Makes the file, or opens the one that is there. Throws `std::runtime_error`.
  explicit Jars(const std::string& path);
  ~Jars();
  Jars(const Jars&) = delete;
  Jars& operator=(const Jars&) = delete;

  // Numbers that no other worker of any process has.
  std::uint64_t next_operation();
  std::uint64_t next_turn();  // of those that a run of so many operations has
  std::uint64_t next_value();
  // Nothing if there have been too many.
  std::optional<int> new_session();

  // Tells all workers of all processes to go home. Safe in a signal handler.
  void stop();
  bool stopped() const;
  void open_again();

  Tab tab(unsigned browser) const;
  void arrived(const Tab& tab, int session, const std::string& cookie);  // Set-Cookie
  void deleted(const Tab& tab);                                          // the same, with nothing in it
  void turned_away(const Tab& tab);                                      // answered as a stranger

  void show(unsigned browser, const Form& form);
  // The form on the browser's screen; a few submissions later it is another page.
  std::optional<Form> form(unsigned browser);

  // Every session there was, with the last cookie that came for it.
  void each(const std::function<void(int session, const std::string& cookie)>& what) const;

 private:
  struct File;
  File* file_;
};

}  // namespace sancho::history
