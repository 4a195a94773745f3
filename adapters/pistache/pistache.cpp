#include "sancho/adapters/pistache.hpp"

#include <pistache/peer.h>
#include <sys/socket.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "connection.hpp"
#include "sancho/form.hpp"

namespace sancho {

namespace {

using Connection = std::shared_ptr<PistacheConnection>;
using PeerHandle = std::shared_ptr<Pistache::Tcp::Peer>;

constexpr const char* our_name = "sancho";

Connection connection_of(const PeerHandle& peer) {
  return std::static_pointer_cast<PistacheConnection>(peer->tryGetData(our_name));
}

void plain(Response& response, int status) {
  response.status = status;
  response.text(reason(status).empty() ? "Request Header Fields Too Large" : reason(status));
}

}  // namespace

// Threads, and the connections that wait for one.
struct PistacheHandler::Inside {
  Inside(PistacheFunction f, PistacheOptions o) : function(std::move(f)), options(o) {
    for (unsigned i = 0; i < std::max(1U, options.threads); ++i) threads.emplace_back([this] { work(); });
  }
  ~Inside() {
    {
      const std::lock_guard lock(mutex);
      stopped = true;
    }
    changed.notify_all();
    for (auto& thread : threads) thread.join();
  }

  void add(Connection connection) {
    {
      const std::lock_guard lock(mutex);
      waiting.push_back(std::move(connection));
    }
    changed.notify_one();
  }

  void work() {
    for (std::unique_lock lock(mutex);;) {
      changed.wait(lock, [this] { return stopped || !waiting.empty(); });
      if (stopped) return;
      auto connection = std::move(waiting.front());
      waiting.pop_front();
      lock.unlock();
      serve(std::move(connection));
      lock.lock();
    }
  }

  void serve(Connection connection) noexcept try {
    Response response;
    if (connection->refused() != 0)
      plain(response, connection->refused());
    else
      function(PistacheRequest(connection->head(), connection->body(), connection->peer()), response);
    if (connection->answer(response)) add(std::move(connection));
  } catch (...) {  // no memory, or a stream that threw: the answer ends where it is
    if (connection) connection->abandon();
  }

  const PistacheFunction function;
  const PistacheOptions options;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Connection> waiting;
  bool stopped = false;
  std::vector<std::thread> threads;  // the last, as they use the others
};

PistacheHandler::PistacheHandler(PistacheFunction function, PistacheOptions options)
    : inside_(std::make_shared<Inside>(std::move(function), options)) {}

PistacheHandler::~PistacheHandler() = default;

// Pistache's own parser asks for this, which here is given nothing.
void PistacheHandler::onRequest(const Pistache::Http::Request&, Pistache::Http::ResponseWriter) {}

// Nobody above catches what is thrown here: there may be no descriptor left, or no
// memory. Then there is no connection of ours, and Pistache's ends.
void PistacheHandler::onConnection(const PeerHandle& peer) try {
  // Pistache looks at the parser's clock to see what is idle, and closes an idle
  // connection without a word.
  peer->putData(ParserData, std::make_shared<Pistache::Http::RequestParser>(getMaxRequestSize()));
  peer->setIdle(true);
  if (peer->ssl())
    ::shutdown(peer->fd(), SHUT_RDWR);
  else
    peer->putData(our_name, std::make_shared<PistacheConnection>(peer->fd(), inside_->options));
} catch (...) {
  ::shutdown(peer->fd(), SHUT_RDWR);
}

void PistacheHandler::onInput(const char* buffer, std::size_t size, const PeerHandle& peer) {
  const auto connection = connection_of(peer);
  if (!connection || !connection->feed({buffer, size})) return;
  getParser(peer)->reset();
  inside_->add(connection);
}

void PistacheHandler::onDisconnection(const PeerHandle& peer) {
  if (const auto connection = connection_of(peer)) connection->end();
}

std::string_view PistacheRequest::path() const {
  const auto target = head_->target();
  return target.substr(0, target.find('?'));
}

std::string_view PistacheRequest::query() const {
  const auto target = head_->target();
  const auto mark = target.find('?');
  return mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1);
}

std::optional<std::string_view> PistacheRequest::header(std::string_view name) const {
  for (const auto& [other, value] : head_->lines())
    if (same_header(name, other)) return value;
  return std::nullopt;
}

std::optional<std::string> PistacheRequest::field(std::string_view name) const {
  if (auto found = form_field(query(), name)) return found;
  return is_form(header("Content-Type").value_or("")) ? form_field(*body_, name) : std::nullopt;
}

}  // namespace sancho
