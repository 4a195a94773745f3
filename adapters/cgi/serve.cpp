// A request's way through: its body in, its response out.
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>

#include "sancho/adapters/cgi.hpp"

namespace sancho {

namespace {

// How long the body is to be; nothing where that is not to be understood.
std::optional<std::size_t> content_length(std::string_view text) {
  if (text.empty()) return 0;
  std::size_t n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return n;
}

// 0, or the status of the answer in place of the handler's.
int read_body(const CgiRequest& head, const detail::CgiRead& read, std::size_t most, std::string& body) {
  const auto size = content_length(head.variable("CONTENT_LENGTH"));
  if (!size || head.method().empty()) return 400;
  if (*size > most) return 413;
  body.resize(*size);
  for (std::size_t have = 0; have < *size;) {
    const auto n = read(body.data() + have, *size - have);
    if (n == 0) return 400;  // it broke off
    have += n;
  }
  return 0;
}

void plain(Response& response, int status) {
  response = {};
  response.status = status;
  response.text(status == 500 ? plain_text(500) : reason(status));
}

std::string head_of(const Response& response) {
  auto head = "Status: " + std::to_string(response.status) + " " + std::string(reason(response.status)) + "\r\n";
  for (const auto& [name, value] : response.lines())
    if (!same_header(name, "Status")) head.append(name).append(": ").append(value).append("\r\n");
  return head;
}

bool has_body(const CgiRequest& request, int status) {
  return request.method() != "HEAD" && status != 204 && status != 304 && status >= 200;
}

void send(const CgiRequest& request, const Response& response, const detail::CgiWrite& write) {
  auto head = head_of(response);
  const bool body = has_body(request, response.status);
  if (!response.stream && body) head += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
  head += "\r\n";
  if (response.stream) {
    if (write(head) && body) response.stream(write);
  } else {
    write(body ? head + response.body : head);
  }
}

}  // namespace

void detail::serve_one(const char* const* variables, const CgiRead& read, const CgiWrite& write,
                       const CgiHandler& handler, const CgiOptions& options) {
  std::string body;
  const int refused = read_body(CgiRequest(variables, {}), read, options.max_body, body);
  const CgiRequest request(variables, std::move(body));
  Response response;
  try {
    if (refused != 0)
      plain(response, refused);
    else
      handler(request, response);
  } catch (...) {  // a handler of somebody's own; wrapped ones throw nothing
    plain(response, 500);
  }
  try {
    send(request, response, write);
  } catch (...) {  // the stream's: the answer ends where it is
  }
}

int serve_cgi(const CgiHandler& handler, const CgiOptions& options) {
  // Who no longer listens is told of by `write`, and is no reason to die.
  std::signal(SIGPIPE, SIG_IGN);
  const auto read = [](char* data, std::size_t size) {
    ssize_t n = 0;
    do n = ::read(STDIN_FILENO, data, size);
    while (n < 0 && errno == EINTR);
    return n > 0 ? static_cast<std::size_t>(n) : 0;
  };
  bool listens = true;
  const auto write = [&](std::string_view text) {
    while (listens && !text.empty()) {
      const auto n = ::write(STDOUT_FILENO, text.data(), text.size());
      if (n > 0)
        text.remove_prefix(static_cast<std::size_t>(n));
      else if (n < 0 && errno != EINTR)
        listens = false;
    }
    return listens;
  };
  detail::serve_one(environ, read, write, handler, options);
  return 0;
}

}  // namespace sancho
