// # What one coroutine has asked
//
// Stands in a connection's queue until all its replies are there, or there will
// be none. The coroutine may be let go before: what is answered then reaches
// nobody, and not somebody else. Once it is over, and without the mutex, it is woken.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "stores/async_waiter.hpp"
#include "stores/redis/conversation.hpp"

namespace sancho::redis {

class Ask final : public Waiter {
 public:
  // So many commands, and as many replies. Mostly one that was used before, which has
  // room for a reply.
  static std::shared_ptr<Ask> make(std::size_t commands, Deadline until);
  ~Ask() = default;

  // ## For the coroutine, before it asks

  // The commands as they are sent: in this room, if they fit, or not.
  std::array<char, 192> room;
  void say(std::string_view short_words) { wire = short_words; }  // they stand in the room
  void say(std::string words) {
    long_ = std::move(words);
    wire = long_;
  }

  // ## For the coroutine, which waits at the lane

  enum class End { answered, lost, refused, cancelled };
  // How it ended; once it is over.
  End end = End::answered;
  Reply last;               // the one there is mostly
  std::vector<Reply> more;  // those before it
  Lost lost;
  std::exception_ptr refused;
  std::vector<Reply> replies() {
    more.push_back(std::move(last));
    return std::move(more);
  }

  // ## For the lane, under its mutex

  std::string_view wire;
  void sent() {
    stage = Stage::sent;
    wire = {};
    long_ = {};
  }
  // A reply stands in `last`. True: it was the last.
  bool replied() {
    if (more.size() + 1 >= expected) return true;
    more.push_back(std::move(last));
    return false;
  }
  std::size_t expected = 0;
  Deadline until{Deadline::Steady::time_point{}};
  enum class Stage { queued, sent, over };
  Stage stage = Stage::queued;
  bool old = false;                   // its connection was there before
  std::size_t round = 0, begins = 0;  // in which of the lane's packets, and where

 private:
  struct GiveBack;
  struct Drop;
  Ask() = default;
  void forget_all();
  std::string long_;
};

}  // namespace sancho::redis
