// # A connection that remembers
//
// POCO reads a request through its socket. This one gives it no byte beyond the
// request that is being read, and keeps the head as it came. So the bytes are
// those of the request that a handler is asked for, whatever POCO makes of them.
#pragma once

#include <Poco/Net/StreamSocketImpl.h>

#include <array>
#include <string>

#include "sancho/raw_request.hpp"

namespace sancho {

class PocoConnection final : public Poco::Net::StreamSocketImpl {
 public:
  explicit PocoConnection(poco_socket_t socket) : StreamSocketImpl(socket) {}

  // Of the request that is being read.
  const RawHead& head() const { return head_; }
  const Framing& framing() const { return framing_; }

  // Reads the body to its end: 0, or the status of the answer in place of a
  // handler's.
  int read_body(std::size_t most, std::string& body);

  int receiveBytes(void* buffer, int length, int flags) override;
  // POCO asks for this between two requests, and only then.
  bool poll(const Poco::Timespan& timeout, int mode) override;

 private:
  bool fill();
  std::size_t take(std::string_view bytes, std::string& body);

  RawHead head_;
  Framing framing_;
  RawBody body_;
  bool fresh_ = true;  // nothing of the request has been read
  std::array<char, 4096> ahead_;
  std::size_t begin_ = 0, end_ = 0;  // of what was read ahead
};

}  // namespace sancho
