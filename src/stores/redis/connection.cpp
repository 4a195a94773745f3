#include "stores/redis/connection.hpp"

namespace sancho::redis {

Connection::Connection(const Endpoint& to, const Introduction& introduction, const TlsContext* tls, Deadline deadline)
    : socket_(to, deadline) {
  if (tls) {
    tls_.emplace(*tls, to.host);
    shake_hands(deadline);
  }
  introduce(introduction, deadline);
}

void Connection::shake_hands(Deadline deadline) {
  bool sent = false;
  for (bool done = false; !done;) {
    try {
      done = tls_->shake_hands();
    } catch (const StoreError&) {
      // The server should hear why; that it cannot is no news.
      const auto alert = tls_->to_send();
      socket_.send(alert);
      throw;
    }
    auto bytes = tls_->to_send();
    while (!bytes.empty()) {
      flush(bytes, sent);
      if (!bytes.empty()) socket_.wait(true, deadline);
    }
    if (done) return;
    std::string sealed;
    while (!socket_.receive(sealed)) socket_.wait(false, deadline);
    tls_->received(sealed);
  }
}

void Connection::introduce(const Introduction& introduction, Deadline deadline) {
  require_welcome(introduction, exchange(wire_of(introduction), deadline));
}

void Connection::flush(std::string& bytes, bool& sent) {
  const auto n = socket_.send(bytes);
  sent = sent || n > 0;
  bytes.erase(0, n);
}

bool Connection::read_some() {
  std::string bytes;
  if (!socket_.receive(bytes)) return false;
  if (!tls_) {
    reader_.feed(bytes);
    return true;
  }
  tls_->received(bytes);
  bool closed = false;
  const auto plain = tls_->open(closed);
  if (!plain.empty())
    reader_.feed(plain);
  else if (closed)
    throw Broken{"the server closed the connection"};
  return true;
}

std::vector<Reply> Connection::exchange(const Wire& wire, Deadline deadline) {
  std::string bytes = wire.bytes;
  std::vector<Reply> replies;
  bool sent = false;
  clean_ = false;
  try {
    if (tls_) {
      tls_->seal(bytes);
      bytes = tls_->to_send();
    }
    while (replies.size() < wire.commands) {
      if (!bytes.empty()) flush(bytes, sent);
      // What comes is read while there is still something to send: the server
      // may stop listening until it is.
      if (!read_some()) socket_.wait(!bytes.empty(), deadline);
      while (replies.size() < wire.commands) {
        auto reply = reader_.next();
        if (!reply) break;
        replies.push_back(*std::move(reply));
      }
    }
  } catch (Broken& broken) {
    broken.sent = broken.sent || sent;
    throw;
  } catch (const ProtocolError& e) {
    throw Broken{std::string("what came is not Redis' protocol: ") + e.what(), sent};
  } catch (const StoreError& e) {  // of TLS
    throw Broken{e.what(), sent};
  }
  clean_ = reader_.empty();  // what nobody has asked for would be taken for the next answer
  return replies;
}

}  // namespace sancho::redis
