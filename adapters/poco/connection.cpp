#include "connection.hpp"

#include <Poco/Exception.h>
#include <Poco/Net/ServerSocketImpl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "sancho/adapters/poco.hpp"

namespace sancho {

namespace {

class Listening final : public Poco::Net::ServerSocketImpl {
 public:
  Poco::Net::SocketImpl* acceptConnection(Poco::Net::SocketAddress& client) override {
    sockaddr_storage storage{};
    auto* const name = reinterpret_cast<sockaddr*>(&storage);
    for (;;) {
      socklen_t size = sizeof storage;
      const int socket = ::accept4(sockfd(), name, &size, SOCK_CLOEXEC);
      if (socket >= 0) {
        client = Poco::Net::SocketAddress(name, size);
        return new PocoConnection(socket);
      }
      if (lastError() != EINTR) error();
    }
  }
};

}  // namespace

PocoServerSocket::PocoServerSocket(const Poco::Net::SocketAddress& address, int backlog)
    : Poco::Net::ServerSocket(new Listening, true) {
  // Not SO_REUSEPORT: two servers on one port would each get some of the requests.
  impl()->bind(address, true, false);
  impl()->listen(backlog);
}

// Reads ahead; false at the end. Throws as POCO's does, for a timeout say.
bool PocoConnection::fill() {
  const int n = StreamSocketImpl::receiveBytes(ahead_.data(), static_cast<int>(ahead_.size()), 0);
  begin_ = 0;
  end_ = n > 0 ? static_cast<std::size_t>(n) : 0;
  return n > 0;
}

// Bytes that belong to this request, and how many.
std::size_t PocoConnection::take(std::string_view bytes, std::string& body) {
  fresh_ = false;
  if (head_.whole() || head_.too_long()) return body_.feed(bytes, body);
  const auto n = head_.feed(bytes);
  if (head_.whole()) body_ = RawBody(framing_ = head_.framing());
  return n;
}

int PocoConnection::receiveBytes(void* buffer, int length, int) {
  if (length <= 0 || (head_.whole() && (body_.whole() || body_.broken()))) return 0;
  if (begin_ == end_ && !fill()) return 0;
  // Of chunks byte by byte: POCO would keep what it has not asked for, and begin
  // the next request with it.
  const auto most = head_.whole() && framing_.chunked ? 1 : static_cast<std::size_t>(length);
  const auto n = std::min(most, end_ - begin_);
  std::string unused;
  const auto taken = take({ahead_.data() + begin_, n}, unused);
  std::copy_n(ahead_.data() + begin_, taken, static_cast<char*>(buffer));
  begin_ += taken;
  return static_cast<int>(taken);
}

bool PocoConnection::poll(const Poco::Timespan& timeout, int mode) {
  if (mode != SELECT_READ) return StreamSocketImpl::poll(timeout, mode);
  if (!fresh_) {
    if (!head_.whole() || !body_.whole()) return false;  // what is left of it is not the beginning of another
    head_.clear();
    framing_ = {};
    fresh_ = true;
  }
  return begin_ < end_ || StreamSocketImpl::poll(timeout, mode);
}

int PocoConnection::read_body(std::size_t most, std::string& body) try {
  if (framing_.length > most) return 413;
  while (!body_.whole()) {
    if (body_.broken() || (begin_ == end_ && !fill())) return 400;
    begin_ += take({ahead_.data() + begin_, end_ - begin_}, body);
    if (body.size() > most) return 413;
  }
  return 0;
} catch (const Poco::TimeoutException&) {
  return 408;
}

}  // namespace sancho
