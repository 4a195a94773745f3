// Reaching a node, and being let in.
#include <fcntl.h>
#include <sys/un.h>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/redirect_error.hpp>

#include "stores/async_redis/lane.hpp"

namespace sancho::redis {

namespace asio = boost::asio;
using asio::awaitable;
using asio::generic::stream_protocol;
using boost::system::error_code;

namespace {
auto into(error_code& error) { return asio::redirect_error(asio::use_awaitable, error); }
}  // namespace

void Lane::begin_connecting() {
  state_ = State::connecting;
  connect_late_ = reached_ = false;
  connect_by_ = Deadline::Steady::now() + rules_->connect_timeout;
  asio::co_spawn(lent_->strand, connect(shared_from_this(), era_), asio::detached);
  arm(connect_by_);
}

awaitable<void> Lane::connect(std::shared_ptr<Lane> self, std::size_t era) {
  Broken broken;
  std::exception_ptr refused;
  try {
    co_await self->reach(era);
    if (self->rules_->tls) co_await self->shake_hands(era);
    co_await self->introduce(era);
    self->state_ = State::up;
    {
      const std::lock_guard lock(self->mutex_);
      self->up_ = true;
    }
    self->stir();
    co_return;
  } catch (const Broken& how) {
    broken = how;
  } catch (const ProtocolError& e) {
    broken.why = std::string("what came is not Redis' protocol: ") + e.what();
  } catch (const StoreError& e) {
    broken.why = e.what();
    if (e.kind() != Trouble::unavailable)  // else as good as not there
      refused = std::make_exception_ptr(StoreError(e.kind(), to_string(self->to_) + ": " + e.what()));
  } catch (const std::exception& e) {
    broken.why = e.what();
  }
  if (era == self->era_) self->not_connected(broken, refused);
}

void Lane::not_connected(const Broken& how, std::exception_ptr refused) {
  Asks ended;
  {
    const std::lock_guard lock(mutex_);
    ended = end_all([&](Ask& ask) {
      ask.end = refused ? Ask::End::refused : Ask::End::lost;
      ask.refused = refused;
      ask.lost = {how, false, false};
    });
  }
  drop_connection();
  for (const auto& ask : ended) ask->wake();
}

// Throws what an error comes to; also if the connection has been given up
// meanwhile.
void Lane::must_go_on(const error_code& error, const char* what, std::size_t era) const {
  if (connect_late_ || era != era_) throw Broken{late_words(), false, true};
  if (error == asio::error::eof) throw Broken{"the server closed the connection"};
  if (error) throw Broken{what + (": " + error.message())};
}

const char* Lane::late_words() const { return reached_ ? "no answer came in time" : "cannot connect in time"; }

// A name is looked up by Asio, on a thread that it keeps for that.
awaitable<std::vector<stream_protocol::endpoint>> Lane::addresses(std::size_t era) {
  std::vector<stream_protocol::endpoint> found;
  if (to_.host.starts_with('/')) {
    if (to_.host.size() >= sizeof(sockaddr_un::sun_path)) throw Broken{"the socket's path is too long"};
    found.emplace_back(asio::local::stream_protocol::endpoint(to_.host));
    co_return found;
  }
  error_code error;
  const auto address = asio::ip::make_address(to_.host, error);
  if (!error) {
    found.emplace_back(asio::ip::tcp::endpoint(address, to_.port));
    co_return found;
  }
  lent_->resolver.emplace(lent_->strand);
  const auto port = std::to_string(to_.port);
  const auto names = co_await lent_->resolver->async_resolve(to_.host, port, into(error));
  must_go_on(error, "the host cannot be found", era);
  lent_->resolver.reset();
  for (const auto& each : names) found.emplace_back(each.endpoint());
  co_return found;
}

awaitable<void> Lane::reach(std::size_t era) {
  const auto all = co_await addresses(era);
  auto& socket = lent_->socket;
  error_code error = asio::error::host_not_found;
  for (const auto& address : all) {
    socket.close(error);
    socket.open(address.protocol());
    ::fcntl(socket.native_handle(), F_SETFD, FD_CLOEXEC);
    if (address.protocol().family() != AF_UNIX) {
      socket.set_option(asio::ip::tcp::no_delay(true));
      socket.set_option(asio::socket_base::keep_alive(true));
    }
    co_await socket.async_connect(address, into(error));
    if (!error || connect_late_ || era != era_) break;
  }
  must_go_on(error, "cannot connect", era);
  reached_ = true;
  socket.non_blocking(true);
}

awaitable<void> Lane::send(const std::string& bytes, std::size_t era) {
  for (std::size_t at = 0; at < bytes.size();) {
    error_code error;
    at += co_await lent_->socket.async_write_some(asio::buffer(bytes) + at, into(error));
    must_go_on(error, "the connection broke", era);
  }
}

awaitable<void> Lane::receive(std::string& bytes, std::size_t era) {
  error_code error;
  const auto size = co_await lent_->socket.async_read_some(asio::buffer(arrived_), into(error));
  must_go_on(error, "the connection broke", era);
  bytes.assign(arrived_.data(), size);
}

awaitable<void> Lane::shake_hands(std::size_t era) {
  tls_.emplace(*rules_->tls, to_.host);
  for (;;) {
    std::exception_ptr trouble;
    bool done = false;
    try {
      done = tls_->shake_hands();
    } catch (const StoreError&) {
      trouble = std::current_exception();
    }
    // If it failed, the server should hear why.
    const auto sealed_words = tls_->to_send();
    co_await send(sealed_words, era);
    if (trouble) std::rethrow_exception(trouble);
    if (done) co_return;
    std::string sealed;
    co_await receive(sealed, era);
    tls_->received(sealed);
  }
}

awaitable<void> Lane::introduce(std::size_t era) {
  auto wire = wire_of(rules_->introduction);
  const auto commands = wire.commands;
  auto& bytes = wire.bytes;
  if (tls_) {
    tls_->seal(bytes);
    bytes = tls_->to_send();
  }
  co_await send(bytes, era);
  std::vector<Reply> replies;
  while (replies.size() < commands) {
    std::string sealed;
    co_await receive(sealed, era);
    bool closed = false;
    if (tls_) {
      tls_->received(sealed);
      reader_.feed(tls_->open(closed));
    } else {
      reader_.feed(sealed);
    }
    for (std::optional<Reply> reply; replies.size() < commands && (reply = reader_.next());)
      replies.push_back(*std::move(reply));
    if (closed && replies.size() < commands) throw Broken{"the server closed the connection"};
  }
  if (!reader_.empty()) throw Broken{"the server said what nobody had asked for"};
  require_welcome(rules_->introduction, replies);
}

}  // namespace sancho::redis
