// # One connection, shared
//
// To one node, opened when it is needed and kept. What coroutines ask meanwhile
// stands in a queue; whatever is there when a packet can leave, leaves in one.
// Replies come in the order of the commands and go to whoever asked. Nothing is
// waited for to fill a packet, and nothing runs while nobody asks: an
// `io_context` that has no other work left comes to its end.
//
// Asking is done from any thread, under a mutex. Socket, timer and TLS are
// touched on a strand of the store's executor only.
//
// Time: one timer, for the earliest deadline. Who is late, or cancelled, is let
// go, and its replies are dropped when they come. A connection on which such
// replies are missing, and nothing at all has come for `connect_timeout`, is
// taken for dead.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <array>
#include <deque>
#include <functional>
#include <optional>
#include <thread>

#include "stores/async_redis/ask.hpp"
#include "stores/redis/plan.hpp"
#include "stores/redis/tls.hpp"

namespace sancho::redis {

// What all connections of a kind have in common.
struct LaneRules {
  std::string store;  // its name, for messages
  Introduction introduction;
  std::shared_ptr<const TlsContext> tls;
  Duration connect_timeout;
  std::size_t most_waiting;
};

class Lane final : public Guest, public std::enable_shared_from_this<Lane> {
 public:
  // The gate of the lanes' context, in good order behind what they use of it.
  static std::shared_ptr<Gate> gate_to(const boost::asio::any_io_executor& executor);
  // Within `gate->pass`.
  static std::shared_ptr<Lane> make(const boost::asio::any_io_executor& executor, const std::shared_ptr<Gate>& gate,
                                    Endpoint to, std::shared_ptr<const LaneRules> rules);
  ~Lane();

  // Puts a question into the queue. Throws `StoreError` (*unavailable*) if as many
  // wait as may; `LaneRules::most_waiting` says how many.
  void ask(const std::shared_ptr<Ask>& question);
  // To be awaited by who asked, until the ask is over. Once; who awaits it holds both.
  auto end_of(Ask& ask) {
    return ask.sleep([this](const boost::asio::any_io_executor& executor) { return gate_of(executor); },
                     [this, &ask] { return withdrawal_of(ask); }, gate_.get());
  }

  const Endpoint& to() const { return to_; }
  // How many questions are not answered yet.
  std::size_t waiting() const;
  // The store goes.
  void close();

 private:
  using Moment = Deadline::Steady::time_point;
  using Asks = std::vector<std::shared_ptr<Ask>>;
  static constexpr unsigned calm_enough = 64, round_for_others = 256;

  // What the execution context lends. What comes from the socket is not on the
  // strand by itself.
  struct Lent {
    explicit Lent(const boost::asio::any_io_executor& executor)
        : strand(boost::asio::make_strand(executor)), socket(executor), timer(strand) {}
    boost::asio::strand<boost::asio::any_io_executor> strand;
    boost::asio::generic::stream_protocol::socket socket;
    boost::asio::steady_timer timer;
    std::optional<boost::asio::ip::tcp::resolver> resolver;  // while a name is looked up
  };

  Lane(const boost::asio::any_io_executor& executor, std::shared_ptr<Gate> gate, Endpoint to,
       std::shared_ptr<const LaneRules> rules);

  // The coroutine was cancelled.
  void withdraw(const std::shared_ptr<Ask>& ask);
  std::function<void()> withdrawal_of(Ask& ask);
  // Of the context of who asks: mostly the lane's own.
  std::shared_ptr<Gate> gate_of(const boost::asio::any_io_executor& executor) const;

  void give_back() noexcept override { lent_.reset(); }
  void leave() noexcept override;
  std::shared_ptr<Guest> hold() noexcept override { return weak_from_this().lock(); }

  // ## Waking (lane_wake.cpp)
  class Round;
  void seen_here();
  bool in_round() const;
  void arrived(const boost::system::error_code& error, std::size_t size, std::size_t era);
  void wake(Asks answered);
  void look_now();
  void look_later();
  void post_look();

  // ## On the strand (lane.cpp)
  void stir();
  void write();
  bool pack();
  void read();
  void received(const boost::system::error_code& error, std::size_t size);
  std::string take();
  bool read_reply(Asks& answered);
  void rest();
  bool is_quiet();
  void break_off(const std::string& why);
  void drop_connection();

  // ## Time (lane_time.cpp)
  void arm(Moment when);
  void on_time();
  Asks late_ones(Moment now, Moment& next, bool& silent);

  // ## Connecting (lane_connect.cpp)
  void begin_connecting();
  static boost::asio::awaitable<void> connect(std::shared_ptr<Lane> self, std::size_t era);
  boost::asio::awaitable<void> reach(std::size_t era);
  boost::asio::awaitable<std::vector<boost::asio::generic::stream_protocol::endpoint>> addresses(std::size_t era);
  boost::asio::awaitable<void> shake_hands(std::size_t era);
  boost::asio::awaitable<void> introduce(std::size_t era);
  boost::asio::awaitable<void> send(const std::string& bytes, std::size_t era);
  boost::asio::awaitable<void> receive(std::string& bytes, std::size_t era);
  void must_go_on(const boost::system::error_code& error, const char* what, std::size_t era) const;
  const char* late_words() const;
  void not_connected(const Broken& how, std::exception_ptr refused);

  // Those of the queue that are not over get this end. With the mutex.
  Asks end_all(const std::function<void(Ask&)>& mark);

  const Endpoint to_;
  const std::shared_ptr<const LaneRules> rules_;
  const boost::asio::execution_context* const context_;
  const boost::asio::io_context* const loop_;  // the same, if it is one
  // In this order: services that are made later go first.
  std::unique_ptr<Lent> lent_;  // null once the context has gone
  const std::shared_ptr<Gate> gate_;

  mutable std::mutex mutex_;  // over the queue and what is in it
  std::deque<std::shared_ptr<Ask>> queue_;
  std::size_t sent_ = 0;  // how many of them, from the front, have been put into a packet
  bool stirred_ = false;  // the strand will look
  bool up_ = false;
  Moment earliest_ = Moment::max();  // deadline of those that came since it looked
  std::thread::id seen_on_;          // who asked last, or ran what arrived
  unsigned calm_ = 0, rounds_ = 0;   // how often that has been the same since; rounds so far

  // On the strand.
  enum class State { down, connecting, up };
  State state_ = State::down;
  bool closed_ = false;
  std::size_t era_ = 0;  // of connections: what belongs to an earlier one is ignored
  bool reading_ = false, writing_ = false;
  bool resting_ = true;  // nobody asks, and the socket is not listened to
  std::string packet_;
  std::size_t packet_sent_ = 0, round_ = 0;
  std::array<char, 16384> arrived_;
  std::optional<TlsSession> tls_;
  ReplyReader reader_;
  Moment timer_at_ = Moment::max(), connect_by_{}, heard_{};
  bool connect_late_ = false, reached_ = false;
};

}  // namespace sancho::redis
