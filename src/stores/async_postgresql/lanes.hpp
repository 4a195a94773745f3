// # All connections of a store
//
// Coroutines ask from any thread, under a mutex. Everything else happens on one
// strand of the store's executor, to which all connections belong: whatever has
// been asked when the strand comes to it leaves together, each call over the
// connection that has least to do. Answers come in the order of the questions
// and go to whoever asked. Nothing is waited for to fill a packet, and nothing
// runs while nobody asks: an `io_context` that has no other work left comes to
// its end.
//
// A lane is one connection. It is opened when there is none, or when each has
// several calls under way; it goes when it breaks, when the server says farewell,
// or when somebody has waited in vain and nothing has come meanwhile. Then nobody
// is put onto it any more, and it is closed as soon as nobody waits for it.
//
// One timer: for the earliest deadline, the next look at a silent connection, and
// the next attempt to connect.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <deque>
#include <functional>
#include <optional>

#include "stores/async_postgresql/ask.hpp"
#include "stores/postgresql/verbs.hpp"

namespace sancho::postgresql {

class Lanes final : public Guest, public std::enable_shared_from_this<Lanes> {
 public:
  static std::shared_ptr<Lanes> make(const boost::asio::any_io_executor& executor, std::shared_ptr<Verbs> verbs,
                                     std::size_t most_waiting);
  ~Lanes();

  // ## From any thread

  // Throws `StoreError` (*unavailable*) if as many wait as may. Without steps: to
  // have the tables made.
  std::shared_ptr<Ask> ask(std::span<const Step> steps, Deadline until);
  // To be awaited by who asked, until the ask is over. Once; who awaits it holds both.
  auto end_of(Ask& ask) {
    return ask.sleep([this](const boost::asio::any_io_executor& executor) { return gate_of(executor); },
                     [this, &ask] { return withdrawal_of(ask); });
  }
  // Whether the timer runs in this context.
  bool belongs_to(const boost::asio::execution_context& context) const { return &context == context_; }
  // The store goes.
  void close();

 private:
  using Moment = Ask::Moment;
  using Socket = boost::asio::posix::stream_descriptor;
  using Asks = std::deque<std::shared_ptr<Ask>>;

  struct Lane {
    Pipeline pipeline;
    // A copy of libpq's, which closes its own when it pleases.
    std::unique_ptr<Socket> socket;
    Asks under_way = {};
    Moment opened = Deadline::Steady::now(), heard = opened;
    bool reading = false, writing = false;
    bool retired = false;  // nobody is put onto it any more
    bool gone = false;
  };
  using LanePtr = std::shared_ptr<Lane>;

  // What the execution context lends.
  struct Lent {
    explicit Lent(const boost::asio::any_io_executor& executor)
        : strand(boost::asio::make_strand(executor)), timer(strand), attempt_timer(strand) {}
    boost::asio::strand<boost::asio::any_io_executor> strand;
    boost::asio::steady_timer timer;
    // While connecting:
    boost::asio::steady_timer attempt_timer;
    std::optional<Socket> attempt;
    std::optional<boost::asio::ip::tcp::resolver> resolver;
  };

  Lanes(const boost::asio::any_io_executor& executor, std::shared_ptr<Verbs> verbs, std::size_t most_waiting);

  // The coroutine was cancelled.
  void withdraw(const std::shared_ptr<Ask>& ask);
  std::function<void()> withdrawal_of(Ask& ask);
  // Of the context of who asks: mostly the lanes' own.
  std::shared_ptr<Gate> gate_of(const boost::asio::any_io_executor& executor) const;

  void give_back() noexcept override;
  void leave() noexcept override;
  std::shared_ptr<Guest> hold() noexcept override { return weak_from_this().lock(); }

  // ## On the strand (lanes.cpp)
  void stir();
  void pump();
  void rest();
  bool busy() const;
  bool is_over(const Ask& ask);
  std::vector<LanePtr> assign();
  LanePtr best_lane() const;
  bool put(Lane& lane, const std::shared_ptr<Ask>& ask);
  void write(const LanePtr& lane);
  void read(const LanePtr& lane);
  void received(const LanePtr& lane);
  void drop(const LanePtr& lane);
  void end(const std::shared_ptr<Ask>& ask, Reply reply);
  void refuse(const std::shared_ptr<Ask>& ask, std::exception_ptr why);
  void refuse_all(std::exception_ptr why);

  // ## Time (lanes_time.cpp)
  void arm(Moment when);
  void on_time();
  Moment let_go_of_late(Asks& queue, Moment now);
  void refuse_late(const std::shared_ptr<Ask>& ask);
  Moment look_at(const LanePtr& lane, Moment now);

  // ## Connecting (lanes_connect.cpp)
  void grow();
  static boost::asio::awaitable<void> connect(std::shared_ptr<Lanes> self);
  boost::asio::awaitable<std::unique_ptr<Lane>> try_host(std::size_t host, Failure& failure);
  boost::asio::awaitable<Established> establish(Settings settings, Failure& failure);
  boost::asio::awaitable<void> look_up(Settings& settings);
  boost::asio::awaitable<bool> ready(int socket, Socket::wait_type what);
  boost::asio::awaitable<Reply> script(Pipeline& pipeline, const std::string& sql);
  boost::asio::awaitable<void> carry_out(Pipeline& pipeline, Floor& floor);
  boost::asio::awaitable<void> make_tables(Pipeline& pipeline);
  std::unique_ptr<Socket> watch(int socket) const;
  void begin_attempt();
  void connected(LanePtr lane);
  void not_connected(const Failure& worst);

  const boost::asio::execution_context* const context_;
  const std::shared_ptr<Verbs> verbs_;
  const std::size_t most_waiting_, most_lanes_;
  const std::shared_ptr<std::atomic<std::size_t>> calls_ = std::make_shared<std::atomic<std::size_t>>(0);
  // In this order: services that are made later go first.
  std::unique_ptr<Lent> lent_;  // null once the context has gone
  const std::shared_ptr<Gate> gate_;

  std::mutex mutex_;  // over what follows, and the stages of those who ask
  Asks arrived_;
  bool stirred_ = false;  // the strand will look

  // On the strand.
  Asks waiting_;  // for a lane
  Asks setups_;   // for a new lane, over which the tables are made
  std::vector<LanePtr> lanes_;
  bool closed_ = false;
  Moment timer_at_ = Moment::max();
  bool connecting_ = false, attempt_late_ = false;
  std::size_t attempt_ = 0, good_host_ = 0;
  unsigned failed_attempts_ = 0;  // in a row
  Moment not_before_ = Moment::min();
};

}  // namespace sancho::postgresql
