#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

#include "connection.hpp"
#include "head.hpp"
#include "sancho/adapters/httplib.hpp"
#include "undecoded.hpp"

namespace sancho {

namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

microseconds timeout(time_t sec, time_t usec) { return seconds(sec) + microseconds(usec); }

// Puts the header values back as they came.
void undecode(httplib::Request& request, std::string_view head) {
  request.headers = undecoded_headers(head);
  request.set_header("REMOTE_ADDR", request.remote_addr);
  request.set_header("REMOTE_PORT", std::to_string(request.remote_port));
  request.set_header("LOCAL_ADDR", request.local_addr);
  request.set_header("LOCAL_PORT", std::to_string(request.local_port));
  undecoded_request = &request;
}

// Unlike the parent's, not SO_REUSEPORT: two servers on one port would each get
// some of the requests.
void share_nothing(socket_t socket) {
  const int yes = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
}

}  // namespace

HttplibServer::HttplibServer() {
  set_socket_options(share_nothing);
  // The parent writes head and body apart; Nagle's algorithm would hold the
  // body back until the head is acknowledged.
  set_tcp_nodelay(true);
}

bool HttplibServer::bind_to_port(const std::string& host, int port, int socket_flags) {
  return httplib::Server::bind_to_port(host, port, socket_flags) && ::listen(svr_sock_, SOMAXCONN) == 0;
}

int HttplibServer::bind_to_any_port(const std::string& host, int socket_flags) {
  const int port = httplib::Server::bind_to_any_port(host, socket_flags);
  return port > 0 && ::listen(svr_sock_, SOMAXCONN) == 0 ? port : -1;
}

bool HttplibServer::listen(const std::string& host, int port, int socket_flags) {
  return bind_to_port(host, port, socket_flags) && listen_after_bind();
}

// The parent's loop, with our stream: a request after the other until one is
// the last, nothing comes for a while, or the server stops.
bool HttplibServer::process_and_close_socket(socket_t socket) {
  HttplibConnection connection(socket, timeout(read_timeout_sec_, read_timeout_usec_),
                               timeout(write_timeout_sec_, write_timeout_usec_));
  const auto stopped = [this] { return svr_sock_ == INVALID_SOCKET; };
  // An idle connection looks up now and then, to see whether the server stops.
  const auto another = [&] {
    const auto until = std::chrono::steady_clock::now() + seconds(keep_alive_timeout_sec_);
    while (!stopped() && std::chrono::steady_clock::now() < until)
      if (connection.wait(std::chrono::milliseconds(50))) return true;
    return false;
  };

  bool ok = false;
  for (auto left = keep_alive_max_count_; left > 0 && another(); --left) {
    BodySize body{.certain = false};
    connection.begin_head();
    bool last = false;
    ok = process_request(connection, left == 1, last, [&](httplib::Request& request) {
      const auto& head = connection.end_head();
      undecode(request, head);
      body = body_size(request.headers);
      body.certain = body.certain && is_clean(head);
    });
    undecoded_request = nullptr;
    // Where the parent left some of the body, or never saw the head's end, the
    // next bytes are not the beginning of a request.
    if (!ok || last || !body.certain || connection.body_read() != body.bytes) break;
  }
  ::shutdown(socket, SHUT_RDWR);
  ::close(socket);
  return ok;
}

}  // namespace sancho
