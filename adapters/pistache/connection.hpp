// # A connection
//
// The bytes that Pistache has read from it, taken apart into requests, one at a
// time; and the socket, a descriptor of our own, so that an answer goes to the
// client that asked whatever became of Pistache's.
#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "sancho/adapters/pistache.hpp"
#include "sancho/raw_request.hpp"
#include "sancho/response.hpp"

namespace sancho {

class PistacheConnection {
 public:
  // Of a socket that stays Pistache's. Throws `std::system_error`.
  PistacheConnection(int socket, const PistacheOptions& options);
  ~PistacheConnection();
  PistacheConnection(const PistacheConnection&) = delete;
  PistacheConnection& operator=(const PistacheConnection&) = delete;

  // ## Told by the event loop

  // More bytes. True if there is now a request to be answered, and none was.
  bool feed(std::string_view bytes);
  // No more bytes will come. What has been asked is answered all the same.
  void end();

  // ## Asked by the one thread that answers

  const RawHead& head() const { return head_; }
  const std::string& body() const { return body_; }
  const std::string& peer() const { return peer_; }
  // The status of an answer in place of a handler's; 0: the handler is asked.
  int refused() const { return refused_; }
  // Sends the answer. True if there is already another request.
  bool answer(Response& response);
  // The answer cannot be given, or not to its end.
  void abandon();

 private:
  bool read();
  bool ask(int refused);
  bool stays() const;
  using Clockwork = std::chrono::steady_clock;
  bool send(std::string_view text, Clockwork::time_point until = Clockwork::time_point::max());
  void send_answer(Response& response);
  void send_stream(const Response& response, std::string head, bool chunks);

  const std::string peer_;
  const std::size_t max_body_;
  const std::chrono::seconds patience_, longest_;
  const int socket_;  // the last that can fail: it must be closed

  std::mutex mutex_;  // of what is ahead, and of whose turn it is
  std::string ahead_;
  bool busy_ = false;  // a request is being answered, and what is below is that thread's
  bool last_ = false;

  RawHead head_;
  std::optional<RawBody> raw_;
  std::string body_;
  int refused_ = 0;
};

}  // namespace sancho
