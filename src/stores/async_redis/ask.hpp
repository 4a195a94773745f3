// # What one coroutine has asked
//
// Stands in a connection's queue until all its replies are there, or there will
// be none. The coroutine may be let go before: what is answered then reaches
// nobody, and not somebody else. Once it is over, and without the mutex, it is woken.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "stores/async_waiter.hpp"
#include "stores/redis/conversation.hpp"

namespace sancho::redis {

class Ask final : public Waiter {
 public:
  // The commands as they are sent, and how many replies belong to them.
  Ask(std::string bytes, std::size_t size, Deadline deadline)
      : wire(std::move(bytes)), expected(size), until(deadline) {
    replies.reserve(size);
  }

  // ## For the coroutine, which waits at the lane

  enum class End { answered, lost, refused, cancelled };
  // How it ended; once it is over.
  End end = End::answered;
  std::vector<Reply> replies;
  Lost lost;
  std::exception_ptr refused;

  // ## For the lane, under its mutex

  std::string wire;
  const std::size_t expected;
  const Deadline until;
  enum class Stage { queued, sent, over };
  Stage stage = Stage::queued;
  bool old = false;                   // its connection was there before
  std::size_t round = 0, begins = 0;  // in which of the lane's packets, and where
};

}  // namespace sancho::redis
