// # A connection
//
// cpp-httplib's stream over a socket, as its own one, but for two things: it
// lives as long as the connection, so that what was read ahead is there for the
// next request; and it remembers the bytes of the head that is being read.
#pragma once

#include <httplib.h>

#include <array>
#include <chrono>
#include <string>

namespace sancho {

class HttplibConnection final : public httplib::Stream {
 public:
  using Timeout = std::chrono::microseconds;
  static constexpr std::size_t max_head = 64 * 1024;

  HttplibConnection(socket_t socket, Timeout read_timeout, Timeout write_timeout)
      : socket_(socket), read_timeout_(read_timeout), write_timeout_(write_timeout) {}

  // Is there something to read within this time, or has the other end gone?
  bool wait(Timeout timeout) const;

  // From here on the bytes that are read are those of a head. Beyond
  // `max_head`, reading fails.
  void begin_head();
  // The head is read; its bytes, good until the next one begins. What is read
  // now is counted as body.
  const std::string& end_head();
  std::size_t body_read() const { return body_read_; }

  bool is_readable() const override;
  bool is_writable() const override;
  ssize_t read(char* data, size_t size) override;
  ssize_t write(const char* data, size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  socket_t socket() const override { return socket_; }

 private:
  // One end of it. Neither changes while it lives, and every request asks for both.
  struct End {
    std::string ip;
    int port = 0;
    bool known = false;
  };
  void tell(End& end, int (*name_of)(int, sockaddr*, socklen_t*), std::string& ip, int& port) const;
  bool fill();
  void keep_head();

  const socket_t socket_;
  const Timeout read_timeout_, write_timeout_;
  mutable End remote_, local_;
  std::array<char, 4096> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // of what was read ahead
  std::string head_;
  bool in_head_ = false;
  std::size_t head_begin_ = 0;  // in the buffer, what `head_` does not have yet
  std::size_t body_read_ = 0;
};

}  // namespace sancho
