// What the referee tells a player to do in one round, and what the player has to
// say of it: plain bytes, because they go through a pipe.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace sancho::races {

// A short text of fixed size; what is too long is cut.
template <std::size_t N>
class Text {
 public:
  Text() = default;
  Text& operator=(std::string_view text) {
    bytes_ = {};
    std::memcpy(bytes_.data(), text.data(), text.size() < N ? text.size() : N - 1);
    return *this;
  }
  std::string_view view() const { return bytes_.data(); }
  std::string string() const { return bytes_.data(); }
  bool empty() const { return bytes_[0] == '\0'; }

 private:
  std::array<char, N> bytes_{};
};

enum class Act : std::uint8_t { read, write, log_out, log_in, consume };

// One request.
struct Job {
  Act act = Act::read;
  Text<64> cookie;
  Text<32> word;     // write: the slot's name; log_in: the user; consume: the token
  int add = 0;       // write: what the counter goes up by
  bool renew = false, reauthenticate = false;  // besides
  bool meet = false;  // waits, with its session loaded, until the others have theirs
  std::uint32_t spins_before = 0, spins_between = 0;  // idle turns, to vary the meeting
  std::int64_t now = 0;
};

struct Report {
  bool found = false;     // the cookie opened a session
  bool claimed = false;   // consume: won
  bool forgets = false;   // the response deletes the cookie
  bool dropped = false, lost = false, merged = false;  // events
  Text<64> cookie;        // what the response sets
  Text<160> trouble;      // an exception
  // When the request began, when its session was loaded, when the end of the request began, when what
  // acts at once had acted, when all was over.
  std::uint64_t began = 0, loaded = 0, ending = 0, acted = 0, ended = 0;
};

static_assert(std::is_trivially_copyable_v<Job> && std::is_trivially_copyable_v<Report>);

}  // namespace sancho::races
