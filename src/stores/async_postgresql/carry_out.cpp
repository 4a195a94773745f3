#include "base/fork_page.hpp"
#include "stores/async_postgresql/async_postgresql_store.hpp"

namespace sancho::postgresql {

using boost::asio::awaitable;

// In a child, even closing a connection would speak on the parent's.
Ground::Ground(const boost::asio::any_io_executor& executor, std::shared_ptr<Verbs> what, std::size_t most_waiting)
    : verbs(std::move(what)), lanes(Lanes::make(executor, verbs, most_waiting)), owner_(this_process()) {}

Ground::~Ground() {
  if (this_process() == owner_)
    lanes->close();
  else
    new std::shared_ptr<Lanes>(lanes);  // left alone, for good
}

void Ground::require_own_process() const {
  if (this_process() == owner_) return;
  throw StoreError(Trouble::refused,
                   verbs->name() + ": it was opened before this process was forked; open it after forking, not before");
}

namespace {

// Null if it may not wait.
std::shared_ptr<Ask> ask_for(const Ground& ground, const Exchange& what, std::exception_ptr& trouble) {
  try {
    return ground.lanes->ask(what.steps, what.until);
  } catch (const StoreError&) {
    trouble = std::current_exception();
    return nullptr;
  }
}

void hand_in(Ask& ask, Exchange& what, std::exception_ptr& trouble) {
  if (ask.end == Ask::End::cancelled) throw boost::system::system_error(boost::asio::error::operation_aborted);
  trouble = std::move(ask.refused);
  what.reply = std::move(ask.reply);
  what.fresh = ask.fresh;
}

}  // namespace

awaitable<void> carry_out(const Ground& ground, Floor& floor, const AsyncScan::Each* each) {
  ground.require_own_process();  // before a mutex that the parent may have held
  while (const Wish* wish = floor.next()) {
    if (auto* const* show = std::get_if<Show*>(wish)) {
      const bool on = co_await (*each)((*show)->found);
      (*show)->go_on = on;
    } else {
      auto& what = *std::get<Exchange*>(*wish);
      std::exception_ptr trouble;
      if (const auto ask = ask_for(ground, what, trouble)) {
        co_await ground.lanes->end_of(*ask);
        hand_in(*ask, what, trouble);
      }
      if (trouble) floor.fail(trouble);
    }
  }
}

awaitable<void> have_tables_made(std::shared_ptr<Ground> ground) {
  ground->require_own_process();
  Exchange nothing{.steps = {}, .until = Deadline::after(ground->verbs->options().open_timeout)};
  std::exception_ptr trouble;
  if (const auto ask = ask_for(*ground, nothing, trouble)) {
    co_await ground->lanes->end_of(*ask);
    hand_in(*ask, nothing, trouble);
  }
  if (trouble) std::rethrow_exception(trouble);
  if (nothing.reply.failure) raise(ground->verbs->name(), "opening", *nothing.reply.failure, false);
}

}  // namespace sancho::postgresql
