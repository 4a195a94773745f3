// # One request of a proof
//
// Plays a request as the manager does: `Begin`, then what acts at once (a
// consumed token, a logout), then `Finish` with what the handler did. It is a
// machine itself, built of the product's. An operation that is none (`Op{}`)
// stands for the handler, which takes its time.
#pragma once

#include "universe.hpp"

namespace sancho::proof {

enum class Does : std::uint8_t {
  read, touch, write_a, write_b, erase_a, inc, consume, rotate, rotate_inc, login, reauth, logout,
  empty,  // removes everything that the session holds
  login_counted, login_refuse, login_evict,  // logins that know epochs; the last two under a cap of one
  end_all,  // no browser's: all sessions of U1 are ended
};
constexpr bool is_login(Does d) { return d == Does::login || (d >= Does::login_counted && d <= Does::login_evict); }
constexpr bool is_capped(Does d) { return d == Does::login_refuse || d == Does::login_evict; }
inline constexpr std::string_view words[] = {"read", "touch", "write a", "write b", "erase a", "inc", "consume",
                                             "rotate", "rotate+inc", "login", "reauth", "logout", "empty",
                                             "login counted", "login or refuse", "login or evict", "end all"};
inline constexpr std::size_t operations = std::size(words);
inline std::string_view word(Does does) { return words[static_cast<std::size_t>(does)]; }

// The form token of the start, and a subject's user value.
inline constexpr protocol::TokenDigest the_token{std::byte{'t'}};
std::string packed_text(std::string_view text);
std::string packed_number(std::int64_t number);

inline constexpr IdNo deletion = 0xffff;

enum class Ended : std::uint8_t { ok, kept, claimed, refused, dropped, won, lost, at_cap, emptied, out, in_doubt, trouble };

// What a request ends with.
struct Result {
  Does does{};
  IdNo presented = 0;          // the cookie it came with
  protocol::Saw saw{};
  std::string handle;          // the session it ran in, or whose tombstone it saw
  Ended outcome{};
  IdNo cookie = 0;             // 0: no Set-Cookie; else an id, or `deletion`
  Slots base;                  // what it saw
  std::string heir;            // login: handle of the new session
  bool late = false;           // login: it began after all sessions were ended
  std::string trouble;         // an exception's message
  std::string show(const Names& names) const;
};

class Request {
 public:
  Request(char who, Does does, IdNo presented) : who_(who) {
    result.does = does;
    if (does != Does::end_all) result.presented = presented;
  }

  const protocol::Op* resume(Universe& universe, protocol::Answer& answer);
  // All of its state.
  std::string fingerprint() const;

  Result result;

 private:
  const protocol::Op* run(Universe& universe, protocol::Env& env, protocol::Answer& answer);
  const protocol::Op* end_all(Universe& universe, protocol::Env& env, protocol::Answer& answer);
  void began();
  void consumed();
  std::optional<protocol::Amendment> at_once(protocol::Env& env) const;
  void go_on(protocol::Env& env);
  void kept_at_once();
  bool has_outcome() const;
  void finished(Names& names);
  protocol::Intent intent() const;
  protocol::Delta delta(const protocol::Payload& view) const;

  char who_;
  std::uint32_t drawn_ = 0;
  int at_ = 0;
  std::string met_;  // the handle of the record found last
  protocol::Seat seat_;
  std::optional<protocol::Begin> begin_;
  std::optional<protocol::Save> claim_;
  std::optional<protocol::LogOut> log_out_;
  std::optional<protocol::Intent> intent_;
  std::optional<protocol::Amendment> first_;
  std::optional<protocol::Finish> finish_;
  std::vector<SessionKey> doomed_;
  std::optional<protocol::End> end_;
  protocol::Op op_;
};

}  // namespace sancho::proof
