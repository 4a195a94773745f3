#include "sancho/adapters/fastcgi.hpp"

#include <fcgiapp.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <system_error>
#include <thread>
#include <vector>

namespace sancho {

namespace {

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

// Not libfcgi's `FCGX_OpenSocket`, which ends the process where a path is too
// long and removes whatever lies there.
int listen_on(const std::string& path, int backlog) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    return -1;
  }
  path.copy(address.sun_path, path.size());
  struct stat there {};
  if (::lstat(path.c_str(), &there) == 0 && S_ISSOCK(there.st_mode)) ::unlink(path.c_str());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 && ::listen(fd, backlog) == 0)
    return fd;
  const int error = errno;
  ::close(fd);
  errno = error;
  return -1;
}

std::size_t read(FCGX_Request& request, char* data, std::size_t size) {
  const int n = FCGX_GetStr(data, static_cast<int>(std::min<std::size_t>(size, INT_MAX)), request.in);
  return n > 0 ? static_cast<std::size_t>(n) : 0;
}

bool write(FCGX_Request& request, std::string_view text) {
  while (!text.empty()) {
    const int n = FCGX_PutStr(text.data(), static_cast<int>(std::min<std::size_t>(text.size(), INT_MAX)), request.out);
    if (n <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return FCGX_FFlush(request.out) == 0;
}

void serve(FCGX_Request& request, const CgiHandler& handler, const CgiOptions& options) {
  detail::serve_one(
      request.envp, [&](char* data, std::size_t size) { return read(request, data, size); },
      [&](std::string_view text) { return write(request, text); }, handler, options);
  FCGX_Finish_r(&request);
  // A connection that is kept would keep its thread, whoever waits for one.
  FCGX_Free(&request, 1);
}

}  // namespace

bool started_by_fastcgi() { return FCGX_IsCGI() == 0; }

FastcgiServer::FastcgiServer(CgiHandler handler, FastcgiOptions options)
    : handler_(std::move(handler)), options_(std::move(options)) {
  if (FCGX_Init() != 0) throw std::system_error(EINVAL, std::generic_category(), "libfcgi cannot be used");
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake_ < 0) fail("no event to stop by");
  socket_ = options_.socket.empty() ? 0 : listen_on(options_.socket, options_.backlog);
  // A connection that another thread, or process, was faster to take is waited
  // for by nobody.
  const int flags = socket_ < 0 ? -1 : ::fcntl(socket_, F_GETFL);
  if (flags < 0 || ::fcntl(socket_, F_SETFL, flags | O_NONBLOCK) < 0) {
    const int error = errno;
    ::close(wake_);
    if (socket_ > 0) ::close(socket_);
    errno = error;
    fail("no FastCGI socket");
  }
}

FastcgiServer::~FastcgiServer() {
  ::close(wake_);
  if (socket_ > 0) ::close(socket_);
}

void FastcgiServer::run() {
  std::vector<std::jthread> crew;
  for (int i = 0; i < options_.threads; ++i) crew.emplace_back([this] { work(); });
}

void FastcgiServer::stop() noexcept {
  stopped_ = true;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wake_, &one, sizeof one);
}

void FastcgiServer::work() {
  FCGX_Request request;
  if (FCGX_InitRequest(&request, socket_, FCGI_FAIL_ACCEPT_ON_INTR) != 0) return;
  pollfd wanted[] = {{.fd = socket_, .events = POLLIN, .revents = 0}, {.fd = wake_, .events = POLLIN, .revents = 0}};
  while (!stopped_) {
    if (::poll(wanted, 2, -1) <= 0 || stopped_) continue;
    if (FCGX_Accept_r(&request) == 0) serve(request, handler_, options_.requests);
  }
  FCGX_Free(&request, 1);
}

}  // namespace sancho
