// # A request's bytes
//
// For adapters whose framework does not hand over what was sent: decoded
// values, say, or one of two lines. They read the head a second time, from the
// bytes themselves:
//
//     sancho::RawHead raw;
//     bytes.remove_prefix(raw.feed(bytes));  // piece by piece, as they come
//     if (raw.whole() && raw.framing().certain) raw.add_to(head);
//
// Nothing here reads or waits. The rules are those of RFC 9112, and none of its
// leniencies: what two readers might read differently is refused.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sancho/export.hpp"

namespace sancho SANCHO_EXPORT {

class RequestHead;

// Where a request's body ends.
struct Framing {
  bool certain = false;  // else nobody can tell
  bool chunked = false;
  std::size_t length = 0;  // in bytes, if it is not chunked
};

// The head of a request: a request line, header lines, an empty one.
class RawHead {
 public:
  // Beyond so many bytes it is not read.
  explicit RawHead(std::size_t most = std::size_t{64} << 10) : most_(most) {}

  // Takes the bytes that belong to the head and says how many these were. Takes
  // nothing any more when it is whole or too long.
  std::size_t feed(std::string_view bytes);

  bool whole() const { return whole_; }
  bool too_long() const { return !whole_ && text_.size() == most_; }

  // Of a whole head: does everybody understand it the same? Every line ends in
  // CRLF and has no other control character but tabs and no byte of 255 in it
  // (some take that for the end of everything), the first is `METHOD TARGET
  // HTTP/1.x`, and the others are `Name: value`. Costs a walk over the head.
  bool clean() const;

  // Of a clean head; what is not clean has no certain end. Nor has one with two
  // lines of `Host`, which two readers may hand to two applications, or one with
  // `Transfer-Encoding` in HTTP/1.0.
  Framing framing() const;

  // What stands on the request line of a clean head. Views are good until the
  // head is fed or cleared.
  std::string_view method() const;
  std::string_view target() const;
  bool is_1_1() const;  // else HTTP/1.0

  // Name and value of each header line, in their order, without the blanks
  // around values. Views are good until the head is fed or cleared.
  std::vector<std::pair<std::string_view, std::string_view>> lines() const;
  void add_to(RequestHead& head) const;

  // The beginning of another request.
  void clear();

 private:
  std::size_t most_;
  std::string text_;
  std::size_t line_ = 0;  // where the last line began
  bool whole_ = false;
};

// The body of a request, as its bytes come.
class RawBody {
 public:
  explicit RawBody(const Framing& framing = {.certain = true});

  // Takes the bytes that belong to the body, says how many these were, and adds
  // what they mean to `body`. Takes nothing any more when the body is whole or
  // broken.
  std::size_t feed(std::string_view bytes, std::string& body);

  bool whole() const { return state_ == State::whole; }
  bool broken() const { return state_ == State::broken; }

 private:
  // Of chunks: the digits of a size, what follows them, its line's end, the
  // bytes, the end behind them, trailers.
  enum class State {
    bytes,
    size,
    extension,
    size_end,
    data,
    data_return,
    data_end,
    trailer,
    trailer_end,
    whole,
    broken
  };
  void take(char c);
  void take_digit(char c);

  State state_ = State::whole;
  std::size_t left_ = 0;      // of the body or the chunk
  std::size_t digits_ = 0;    // of a size
  std::size_t trailing_ = 0;  // bytes of the trailers' present line
  std::size_t spent_ = 0;     // bytes of extensions and trailers
};

}  // namespace sancho
