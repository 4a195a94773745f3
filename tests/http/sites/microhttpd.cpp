// The site behind libmicrohttpd.
#include "sancho/adapters/microhttpd.hpp"

#include <algorithm>
#include <csignal>
#include <iostream>
#include <thread>

#include "site.hpp"

namespace {

using Pieces = std::vector<std::string>;

// What is sent in pieces: one a call, and a pause after each.
ssize_t next_piece(void* data, std::uint64_t, char* room, std::size_t size) {
  auto& left = *static_cast<Pieces*>(data);
  if (left.empty()) return MHD_CONTENT_READER_END_OF_STREAM;
  if (left.front().empty()) {
    left.erase(left.begin());
    std::this_thread::sleep_for(site::Page::pause);
    return next_piece(data, 0, room, size);
  }
  const auto n = std::min(size, left.front().size());
  std::copy_n(left.front().begin(), n, room);
  left.front().erase(0, n);
  return static_cast<ssize_t>(n);
}

sancho::MicrohttpdReply in_pieces(const site::Page& page) {
  return sancho::MicrohttpdReply(
      MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 1024, next_piece, new Pieces(site::pieces(page)),
                                        [](void* data) { delete static_cast<Pieces*>(data); }));
}

sancho::MicrohttpdReply reply_of(const site::Page& page) {
  auto reply = page.in_pieces ? in_pieces(page)
               : page.location.empty()
                   ? sancho::MicrohttpdReply::text(page.text, "text/plain", static_cast<unsigned>(page.status))
                   : sancho::MicrohttpdReply::redirect(page.location, static_cast<unsigned>(page.status));
  for (const auto& [name, value] : page.lines) reply.add(name, value);
  return reply;
}

// libmicrohttpd tells the query's fields and not the query.
MHD_Result add_field(void* query, MHD_ValueKind, const char* name, const char* value) {
  static_cast<std::string*>(query)->append(name).append("=").append(value ? value : "").append("&");
  return MHD_YES;
}

}  // namespace

int main(int argc, char** argv) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigprocmask(SIG_BLOCK, &signals, nullptr);
  try {
    const site::Options options(argc, argv);
    const auto manager = site::make_manager(options);
    const sancho::MicrohttpdSessions sessions(*manager);
    const sancho::MicrohttpdServer server(
        sessions.wrap([&](site::Scope& scope, const sancho::MicrohttpdRequest& request) {
          std::string query;
          MHD_get_connection_values(request.connection(), MHD_GET_ARGUMENT_KIND, add_field, &query);
          const site::Asked asked{
              .method = request.method(), .path = request.path(), .query = query, .body = request.body()};
          return reply_of(site::visit(*manager, scope, asked));
        }));
    site::tell_port(server.port());
    int signal = 0;
    sigwait(&signals, &signal);
    return 0;
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
