// # What goes to Redis and what comes back
//
// Commands and replies as values, and the bytes they are on the wire (RESP2).
// There is no I/O here: a transport, whether it blocks or not, writes what
// `wire` gives and feeds what it reads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

struct redisReader;

namespace sancho::redis {

using Command = std::vector<std::string>;

struct Reply {
  enum class Kind { nothing, status, error, number, text, list };
  Kind kind = Kind::nothing;
  std::string text = {};  // of a status, an error or a text
  std::int64_t number = 0;
  std::vector<Reply> items = {};

  bool is_error() const { return kind == Kind::error; }
  bool operator==(const Reply&) const = default;
};

// Commands one behind the other, as the bytes that are sent.
struct Wire {
  // Of how many words the next command consists, which then follow. `about`: how
  // many bytes they have, so that room is made once.
  void begin(std::size_t words, std::size_t about = 0);
  void word(std::string_view bytes);
  void add(const Command& command);

  std::string bytes = {};
  std::size_t commands = 0;
};

// What came is not RESP: the connection is of no use any more.
class ProtocolError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Takes bytes as they come and gives whole replies. It must not be moved while
// half a reply is in it.
class ReplyReader {
 public:
  ReplyReader();
  void feed(std::string_view bytes);
  // Nothing if the next reply is not complete yet. Throws `ProtocolError`.
  std::optional<Reply> next();
  // The same into a place that has room already, which it may spoil; or false.
  bool next(Reply& into);
  // Nothing is there, not even a part of a reply.
  bool empty() const;

 private:
  void give_to_hiredis();
  struct Free {
    void operator()(redisReader* reader) const;
  };
  std::unique_ptr<redisReader, Free> reader_;
  std::unique_ptr<Reply> whole_;  // what is being read; the reader knows where it is
  std::string fresh_;             // fed, and not yet in the reader, from ...
  std::size_t read_ = 0;          // ... here
};

}  // namespace sancho::redis
