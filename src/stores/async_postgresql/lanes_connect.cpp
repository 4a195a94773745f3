// Reaching a server that is taken: host after host, each with its share of the
// time. One attempt at a time, and after one that failed a pause, which grows.
#include <fcntl.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/redirect_error.hpp>

#include <algorithm>
#include <cerrno>

#include "sancho/random.hpp"
#include "stores/async_postgresql/lanes.hpp"

namespace sancho::postgresql {

namespace asio = boost::asio;
using asio::awaitable;
using boost::system::error_code;

namespace {

// Another connection is opened when each has so many calls under way.
constexpr std::size_t crowd = 4;

constexpr Duration first_pause = std::chrono::milliseconds{50}, longest_pause = std::chrono::seconds{1};

// Not all clients of a server that has come back knock at once.
Duration pause_after(unsigned failed) {
  const auto whole = std::min(longest_pause, first_pause * (1 << std::min(failed - 1, 10u)));
  const auto half = static_cast<std::uint64_t>(whole.count() / 2);
  return Duration{static_cast<Duration::rep>(half + system_random().draw_u64() % (half + 1))};
}

auto into(error_code& error) { return asio::redirect_error(asio::use_awaitable, error); }

}  // namespace

void Lanes::grow() {
  if (connecting_ || closed_) return;
  std::size_t usable = 0;
  bool crowded = true;
  for (const auto& lane : lanes_) {
    if (lane->retired) continue;
    ++usable;
    crowded = crowded && lane->under_way.size() >= crowd;
  }
  const bool awaited = !setups_.empty() || (usable == 0 && !waiting_.empty());
  if (!awaited && !(usable > 0 && usable < most_lanes_ && crowded)) return;
  if (Deadline::Steady::now() < not_before_) {
    if (awaited) arm(not_before_);
    return;
  }
  connecting_ = true;
  asio::co_spawn(lent_->strand, connect(shared_from_this()), asio::detached);
}

awaitable<void> Lanes::connect(std::shared_ptr<Lanes> self) {
  const auto count = self->verbs_->place().hosts.size(), first = self->good_host_;
  Failure worst;
  for (std::size_t i = 0; i < count && !self->closed_; ++i) {
    const auto host = (first + i) % count;
    Failure failure;
    LanePtr lane;
    try {
      auto made = co_await self->try_host(host, failure);
      lane = std::move(made);
    } catch (const std::exception& e) {
      failure.what = e.what();
    }
    self->begin_attempt();  // ends this one
    if (lane) {
      self->good_host_ = host;
      self->connected(std::move(lane));
      co_return;
    }
    keep_worst(worst, std::move(failure));
  }
  self->not_connected(worst);
}

void Lanes::connected(LanePtr lane) {
  connecting_ = false;
  failed_attempts_ = 0;
  not_before_ = Moment::min();
  const auto usable = std::ranges::count_if(lanes_, [](const auto& each) { return !each->retired; });
  if (!closed_ && static_cast<std::size_t>(usable) < most_lanes_) lanes_.push_back(std::move(lane));
  pump();
}

// Those who have a connection are not disturbed.
void Lanes::not_connected(const Failure& worst) {
  connecting_ = false;
  not_before_ = Deadline::Steady::now() + pause_after(++failed_attempts_);
  std::exception_ptr why;
  try {
    raise(verbs_->name(), "connecting", worst, false);
  } catch (const StoreError&) {
    why = std::current_exception();
  }
  const bool none = std::ranges::all_of(lanes_, [](const auto& lane) { return lane->retired; });
  if (none) refuse_all(why);
  for (const auto& ask : std::exchange(setups_, {})) refuse(ask, why);
  pump();
}

// What belongs to the attempt before comes to its end.
void Lanes::begin_attempt() {
  ++attempt_;
  attempt_late_ = false;
  lent_->attempt_timer.cancel();
  if (lent_->attempt) lent_->attempt->cancel();
  if (lent_->resolver) lent_->resolver->cancel();
}

awaitable<std::unique_ptr<Lanes::Lane>> Lanes::try_host(std::size_t host, Failure& failure) {
  const auto& place = verbs_->place();
  const auto share = verbs_->options().open_timeout / static_cast<Duration::rep>(place.hosts.size());
  begin_attempt();
  lent_->attempt_timer.expires_after(place.patience.value_or(share));
  lent_->attempt_timer.async_wait([self = shared_from_this(), n = attempt_](const error_code& error) {
    if (error || n != self->attempt_) return;
    self->attempt_late_ = true;
    if (self->lent_->attempt) self->lent_->attempt->cancel();
    if (self->lent_->resolver) self->lent_->resolver->cancel();
  });
  auto settings = place.hosts[host];
  co_await look_up(settings);
  auto established = co_await establish(std::move(settings), failure);
  if (!established) co_return nullptr;
  const int socket = PQsocket(established.get());
  std::unique_ptr<Lane> lane(
      new Lane{.pipeline = Pipeline(std::move(established), verbs_->statements()), .socket = watch(socket)});
  auto talk = verbs_->admittance().settle(lane->pipeline.server_version());
  Floor floor(talk);
  co_await carry_out(lane->pipeline, floor);
  if (auto trouble = talk.result()) {
    failure = *std::move(trouble);
    co_return nullptr;
  }
  if (!setups_.empty()) co_await make_tables(lane->pipeline);
  if (lane->pipeline.under_way() > 0) {  // an answer has not come in time, and may yet
    failure.what = "making the tables took too long";
    co_return nullptr;
  }
  co_return std::move(lane);
}

// libpq would wait for the resolver: so it is given addresses. The name stays,
// for certificates and password files.
awaitable<void> Lanes::look_up(Settings& settings) {
  const auto value = [&](std::string_view keyword) {
    const auto found = std::ranges::find(settings, keyword, &Settings::value_type::first);
    return found == settings.end() ? std::string() : found->second;
  };
  const auto name = value("host");
  error_code error;
  if (name.empty() || name.front() == '/' || name.front() == '@' || !value("hostaddr").empty()) co_return;
  (void)asio::ip::make_address(name, error);
  if (!error) co_return;
  lent_->resolver.emplace(lent_->strand);
  const auto found = co_await lent_->resolver->async_resolve(name, "", into(error));
  if (attempt_late_ || closed_) error = asio::error::timed_out;
  if (error || found.empty()) throw std::runtime_error("the host " + name + " cannot be found: " + error.message());
  std::vector<std::string> addresses;
  for (const auto& each : found) {
    auto address = each.endpoint().address().to_string();
    if (std::ranges::find(addresses, address) == addresses.end()) addresses.push_back(std::move(address));
  }
  std::string names, all;
  for (const auto& address : addresses) {
    names += (names.empty() ? "" : ",") + name;
    all += (all.empty() ? "" : ",") + address;
  }
  std::ranges::find(settings, "host", &Settings::value_type::first)->second = names;
  settings.emplace_back("hostaddr", all);
}

awaitable<Established> Lanes::establish(Settings settings, Failure& failure) {
  auto c = start(settings);
  for (auto next = PQstatus(c.get()) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
       next != PGRES_POLLING_OK; next = PQconnectPoll(c.get())) {
    if (next == PGRES_POLLING_FAILED) {
      failure = failure_of(c.get());
      co_return nullptr;
    }
    const auto what = next == PGRES_POLLING_READING ? Socket::wait_read : Socket::wait_write;
    const bool in_time = co_await ready(PQsocket(c.get()), what);
    if (!in_time) {
      failure = {.sqlstate = {}, .what = "the deadline passed before the server had let us in", .late = true};
      co_return nullptr;
    }
  }
  co_return std::move(c);
}

std::unique_ptr<Lanes::Socket> Lanes::watch(int socket) const {
  const int copy = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
  if (copy < 0) throw std::runtime_error(error_code(errno, boost::system::system_category()).message());
  return std::make_unique<Socket>(lent_->strand, copy);
}

// Until the socket is ready. False: the time is over. libpq may have another one
// the next time.
awaitable<bool> Lanes::ready(int socket, Socket::wait_type what) {
  if (attempt_late_ || closed_) co_return false;
  if (socket < 0) co_return true;  // libpq has closed it, and will say why
  lent_->attempt.emplace(std::move(*watch(socket)));
  error_code ignored;
  co_await lent_->attempt->async_wait(what, into(ignored));
  lent_->attempt.reset();
  co_return !attempt_late_ && !closed_;
}

awaitable<void> Lanes::carry_out(Pipeline& pipeline, Floor& floor) {
  while (const Wish* wish = floor.next()) {
    auto& wanted = *std::get<Script*>(*wish);
    auto reply = co_await script(pipeline, wanted.sql);
    wanted.reply = std::move(reply);
  }
}

awaitable<Reply> Lanes::script(Pipeline& pipeline, const std::string& sql) {
  Reply reply;
  if ((reply.failure = pipeline.put_script(sql))) co_return reply;
  bool sent = pipeline.flush();
  for (;;) {
    if (auto whole = pipeline.next()) co_return *std::move(whole);
    const bool in_time = co_await ready(pipeline.socket(), sent ? Socket::wait_read : Socket::wait_write);
    if (!in_time) {
      reply.failure = Failure{.what = "the deadline passed before the server answered", .late = true};
      co_return reply;
    }
    pipeline.consume();
    if (!sent) sent = pipeline.flush();
  }
}

awaitable<void> Lanes::make_tables(Pipeline& pipeline) {
  std::exception_ptr trouble;
  try {
    auto talk = verbs_->setup();
    Floor floor(talk);
    co_await carry_out(pipeline, floor);
    (void)talk.result();
  } catch (const std::exception&) {
    trouble = std::current_exception();
  }
  // Those too who have come meanwhile.
  for (const auto& ask : std::exchange(setups_, {})) trouble ? refuse(ask, trouble) : end(ask, {});
}

}  // namespace sancho::postgresql
