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

// The command as bytes, at the end of `out`.
void append_wire(std::string& out, const Command& command);

// What came is not RESP: the connection is of no use any more.
class ProtocolError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Takes bytes as they come and gives whole replies.
class ReplyReader {
 public:
  ReplyReader();
  void feed(std::string_view bytes);
  // Nothing if the next reply is not complete yet. Throws `ProtocolError`.
  std::optional<Reply> next();

 private:
  struct Free {
    void operator()(redisReader* reader) const;
  };
  std::unique_ptr<redisReader, Free> reader_;
};

}  // namespace sancho::redis
