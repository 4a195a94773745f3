#include "connection.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <stdexcept>
#include <system_error>

#include "sancho/adapter.hpp"
#include "sancho/error.hpp"

namespace sancho {

namespace {

// What may wait while a request is being answered.
constexpr std::size_t max_ahead = 64 * 1024;

std::string peer_of(int socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* const name = reinterpret_cast<sockaddr*>(&storage);
  char host[NI_MAXHOST];
  if (::getpeername(socket, name, &size) != 0) return {};
  return ::getnameinfo(name, size, host, sizeof host, nullptr, 0, NI_NUMERICHOST) == 0 ? host : std::string();
}

int copy_of(int socket) {
  const int copy = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) throw std::system_error(errno, std::generic_category(), "a connection");
  return copy;
}

std::string_view value_of(const RawHead& head, std::string_view name) {
  for (const auto& [other, value] : head.lines())
    if (same_header(name, other)) return value;
  return {};
}

// Is the word in the list? (RFC 9110, section 5.6.1)
bool has_word(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    auto item = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), item.size() + 1));
    item.remove_prefix(std::min(item.size(), item.find_first_not_of(" \t")));
    if (same_header(item.substr(0, item.find_last_not_of(" \t") + 1), word)) return true;
  }
  return false;
}

std::string hex(std::size_t number) {
  char digits[16];
  return {digits, std::to_chars(digits, digits + sizeof digits, number, 16).ptr};
}

std::string head_of(const Response& response, bool stays) {
  auto text = "HTTP/1.1 " + std::to_string(response.status) + " " + std::string(reason(response.status)) + "\r\n";
  for (const auto& [name, value] : response.lines()) text += name + ": " + value + "\r\n";
  return text + "Connection: " + (stays ? "keep-alive" : "close") + "\r\n";
}

}  // namespace

PistacheConnection::PistacheConnection(int socket, const PistacheOptions& options)
    : peer_(peer_of(socket)),
      max_body_(options.max_body),
      patience_(options.patience),
      longest_(options.longest),
      socket_(copy_of(socket)) {
  const int yes = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

PistacheConnection::~PistacheConnection() { ::close(socket_); }

// ## Requests

bool PistacheConnection::feed(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  if (last_) return false;
  ahead_ += bytes;
  if (!busy_) return read();
  if (ahead_.size() > max_ahead) last_ = true;  // who does not wait for answers gets no more
  return false;
}

void PistacheConnection::end() {
  const std::lock_guard lock(mutex_);
  last_ = true;
}

// There is a request to be answered.
bool PistacheConnection::ask(int refused) {
  refused_ = refused;
  last_ = last_ || refused != 0;  // what is left of it is not the beginning of another
  busy_ = true;
  return true;
}

// Goes on with the bytes that are ahead.
bool PistacheConnection::read() {
  std::string_view rest = ahead_;
  if (!raw_) {
    rest.remove_prefix(head_.feed(rest));
    if (head_.too_long()) return ask(431);
    if (head_.whole()) {
      const auto framing = head_.framing();
      if (!framing.certain) return ask(400);
      if (framing.length > max_body_) return ask(413);
      raw_.emplace(framing);
      if (same_header(value_of(head_, "Expect"), "100-continue") && !raw_->whole())
        ::send(socket_, "HTTP/1.1 100 Continue\r\n\r\n", 25, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
  }
  if (raw_) rest.remove_prefix(raw_->feed(rest, body_));
  ahead_.erase(0, ahead_.size() - rest.size());
  if (raw_ && raw_->broken()) return ask(400);
  if (body_.size() > max_body_) return ask(413);
  return raw_ && raw_->whole() ? ask(0) : false;
}

// ## Answers

bool PistacheConnection::stays() const {
  return refused_ == 0 && head_.is_1_1() && !has_word(value_of(head_, "Connection"), "close");
}

// False if nobody listens any more, or has taken nothing for too long, or not all
// by then.
bool PistacheConnection::send(std::string_view text, Clockwork::time_point until) {
  while (!text.empty()) {
    const auto n = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      text.remove_prefix(static_cast<std::size_t>(n));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return false;
    const auto left = until - Clockwork::now();
    if (left <= Clockwork::duration::zero()) return false;
    pollfd wanted{.fd = socket_, .events = POLLOUT, .revents = 0};
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(std::min<Clockwork::duration>(left, patience_));
    const int ready = ::poll(&wanted, 1, static_cast<int>(wait.count()));
    if (ready == 0 || (ready < 0 && errno != EINTR)) return false;
  }
  return true;
}

void PistacheConnection::send_stream(const Response& response, std::string head, bool chunks) {
  if (!send(head += chunks ? "Transfer-Encoding: chunked\r\n\r\n" : "\r\n")) return abandon();
  bool listens = true;
  response.stream([&](std::string_view piece) {
    if (piece.empty() || !listens) return listens;
    listens = chunks ? send(hex(piece.size()) + "\r\n" + std::string(piece) + "\r\n") : send(piece);
    return listens;
  });
  if (!listens || (chunks && !send("0\r\n\r\n"))) abandon();
}

void PistacheConnection::send_answer(Response& response) {
  const bool has_body = response.status >= 200 && response.status != 204 && response.status != 304;
  const bool to_head = refused_ == 0 && head_.method() == "HEAD";
  if (response.stream && has_body && !to_head) return send_stream(response, head_of(response, stays()), head_.is_1_1());
  auto text = head_of(response, stays());
  if (has_body && !response.stream) text += "Content-Length: " + std::to_string(response.body.size()) + "\r\n";
  text += "\r\n";
  if (has_body && !to_head) text += response.body;
  if (!send(text, Clockwork::now() + longest_)) abandon();
}

bool PistacheConnection::answer(Response& response) {
  send_answer(response);
  const std::lock_guard lock(mutex_);
  // Only our half: what the client still sends must not reset what it has yet to
  // read. Pistache closes the rest when the client does.
  if (!stays()) last_ = true;
  if (last_) {
    ::shutdown(socket_, SHUT_WR);
    return false;
  }
  head_.clear();
  raw_.reset();
  body_.clear();
  busy_ = false;
  return !ahead_.empty() && read();
}

void PistacheConnection::abandon() {
  const std::lock_guard lock(mutex_);
  last_ = true;
  ::shutdown(socket_, SHUT_RDWR);
}

}  // namespace sancho
