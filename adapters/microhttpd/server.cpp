// The daemon: a request's body is gathered, then the handler runs.
#include <netdb.h>
#include <sys/socket.h>

#include <stdexcept>

#include "sancho/adapters/microhttpd.hpp"

namespace sancho {

namespace {

// What libmicrohttpd keeps for us from a request's head to its end.
struct Upload {
  std::string body;
  bool too_large = false;
};

// What the daemon is given with each request.
struct Daemon {
  const MicrohttpdHandler& handler;
  std::size_t max_body;
};

// Two readers of one connection must not differ on where a body ends.
MHD_Result count_lengths(void* lengths, MHD_ValueKind, const char* name, const char*) {
  if (same_header(name, "Content-Length") || same_header(name, "Transfer-Encoding")) ++*static_cast<int*>(lengths);
  return MHD_YES;
}

bool ends_for_certain(MHD_Connection* connection) {
  int lengths = 0;
  MHD_get_connection_values(connection, MHD_HEADER_KIND, count_lengths, &lengths);
  return lengths <= 1;
}

MHD_Result refuse(MHD_Connection* connection, unsigned status, const char* text) {
  auto reply = MicrohttpdReply::text(text, "text/plain; charset=utf-8", status);
  reply.add("Connection", "close");
  return MHD_queue_response(connection, status, reply.response());
}

// Called with the head, then with each piece of the body, then without one. No
// exception may cross it; what cannot be answered ends the connection.
MHD_Result access(void* data, MHD_Connection* connection, const char* path, const char* method, const char*,
                  const char* piece, std::size_t* size, void** kept) noexcept try {
  const auto& daemon = *static_cast<const Daemon*>(data);
  if (!*kept) {
    *kept = new Upload;
    return ends_for_certain(connection) ? MHD_YES : refuse(connection, 400, "Bad Request\n");
  }
  auto& upload = *static_cast<Upload*>(*kept);
  if (*size > 0) {
    upload.too_large = upload.too_large || *size > daemon.max_body - upload.body.size();
    if (!upload.too_large) upload.body.append(piece, *size);
    *size = 0;
    return MHD_YES;
  }
  if (upload.too_large) return refuse(connection, 413, "Content Too Large\n");
  const auto reply = daemon.handler(MicrohttpdRequest(connection, method, path, upload.body));
  return MHD_queue_response(connection, reply.status(), reply.response());
} catch (...) {
  return MHD_NO;
}

void completed(void*, MHD_Connection*, void** kept, MHD_RequestTerminationCode) noexcept {
  delete static_cast<Upload*>(*kept);
  *kept = nullptr;
}

struct Numeric {
  addrinfo* list = nullptr;
  Numeric(const std::string& host, int port) {
    addrinfo wanted{};
    wanted.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
    wanted.ai_socktype = SOCK_STREAM;
    if (::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &list) != 0)
      throw std::runtime_error(host + " is no address to listen on");
  }
  ~Numeric() { ::freeaddrinfo(list); }
  Numeric(const Numeric&) = delete;
  Numeric& operator=(const Numeric&) = delete;
};

}  // namespace

struct MicrohttpdServer::Inside {
  Inside(MicrohttpdHandler h, std::size_t max_body) : handler(std::move(h)), daemon{handler, max_body} {}
  MicrohttpdHandler handler;
  Daemon daemon;
  MHD_Daemon* running = nullptr;
};

MicrohttpdServer::MicrohttpdServer(MicrohttpdHandler handler, MicrohttpdOptions options)
    : inside_(std::make_unique<Inside>(std::move(handler), options.max_body)) {
  const Numeric address(options.address, options.port);
  options.more.push_back({MHD_OPTION_END, 0, nullptr});
  const unsigned v6 = address.list->ai_family == AF_INET6 ? MHD_USE_IPv6 : 0;
  inside_->running = MHD_start_daemon(options.flags | v6, options.port, nullptr, nullptr, access, &inside_->daemon,  //
                                      MHD_OPTION_NOTIFY_COMPLETED, completed, nullptr,                               //
                                      MHD_OPTION_SOCK_ADDR, address.list->ai_addr,                                   //
                                      MHD_OPTION_CONNECTION_TIMEOUT, options.connection_timeout,                     //
                                      MHD_OPTION_ARRAY, options.more.data(), MHD_OPTION_END);
  if (!inside_->running)
    throw std::runtime_error("libmicrohttpd cannot listen on " + options.address + ":" + std::to_string(options.port));
}

MicrohttpdServer::~MicrohttpdServer() { MHD_stop_daemon(inside_->running); }

int MicrohttpdServer::port() const { return MHD_get_daemon_info(inside_->running, MHD_DAEMON_INFO_BIND_PORT)->port; }

}  // namespace sancho
