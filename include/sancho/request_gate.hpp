// # A connection's bytes, before a framework reads them
//
// Some frameworks tell an adapter too little of a request: they keep one of two
// `Cookie` lines, or the lines of one name in no order, or they guess where a
// body ends. Before such a framework stands a gate. It is given every byte of a
// connection, hands on those of one request at a time, unchanged, and knows the
// head that they belong to:
//
//     sancho::RequestGate gate;
//     gate.receive(bytes);
//     for (auto part = gate.next(); !part.empty(); part = gate.next())
//       framework.read(part);  // what it makes of them is one request, and has `gate.head()`
//     if (gate.refusal() != 0) ...;  // answer so, if nothing is under way, and close
//
// What two readers could understand differently is refused (400), before the
// framework sees any of it (RFC 9112, sections 5, 6 and 11.2):
//
//   - a line that is not ended by CRLF, or has a control character in it;
//   - a line without a colon, with a name that is no token, or continued;
//   - two lengths, a length that is no number, a length beside a coding, a
//     coding other than `chunked`, two `Host` lines;
//   - chunks with extensions, or with a trailer, whose lines some take for the
//     head's.
//
// What is too long is refused too: a head (431), and a body (413), where its
// framework bounds none.
//
// It belongs to one connection, and to one thread at a time. A head is given out
// as a shared object that is never changed, which any thread may read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sancho/export.hpp"

namespace sancho SANCHO_EXPORT {

// A request's head as it came. The views are into `bytes`, so it stays where it was made.
struct WireHead {
  std::string bytes{};  // to the empty line, which is the last
  std::string_view method{}, target{};
  std::vector<std::pair<std::string_view, std::string_view>> lines{};  // name and value, without blanks around it

  WireHead() = default;
  WireHead(const WireHead&) = delete;
  WireHead& operator=(const WireHead&) = delete;
};

// In bytes.
struct RequestGateLimits {
  std::size_t max_head = std::size_t{64} << 10;
  std::uint64_t max_body = UINT64_MAX;
};

class RequestGate {
 public:
  explicit RequestGate(RequestGateLimits limits = {}) : limits_(limits) {}

  void receive(std::string_view bytes);

  // What the framework may read next: all that has come of one request, its head
  // as a whole. Empty: more has to come, or it is refused.
  std::string next();

  // The head of the request that `next` gave a part of; null before the first.
  const std::shared_ptr<const WireHead>& head() const { return head_; }

  // That part was the request's last.
  bool at_end() const { return state_ == State::head; }

  // 0, or the status to answer with; from then on `next` gives nothing.
  int refusal() const { return refusal_; }

  // What came and was not given out, for a connection that has become another
  // protocol's. The gate is empty afterwards.
  std::string release() {
    scanned_ = 0;
    return std::exchange(buffer_, {});
  }

 private:
  enum class State { head, sized, chunk_size, chunk, chunk_end, last };

  bool take_head(std::string& out);
  bool step(std::string& out);
  bool step_chunk_size(std::string& out);
  bool step_line_end(std::string& out, State then);
  void take(std::string& out, std::size_t size);
  bool refuse(int status);
  std::string_view rest() const { return std::string_view(buffer_).substr(taken_); }

  RequestGateLimits limits_;
  std::string buffer_;
  std::size_t taken_ = 0;    // of the buffer, within `next`
  std::size_t scanned_ = 0;  // of the rest, by the search for the head's end
  std::shared_ptr<const WireHead> head_;
  State state_ = State::head;
  std::uint64_t left_ = 0;  // of the body or the chunk
  std::uint64_t body_ = 0;  // the chunks so far
  int refusal_ = 0;
};

}  // namespace sancho
