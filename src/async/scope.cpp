// The scope of a request that is served by coroutines.
#include "async/core.hpp"
#include "session/runner.hpp"

namespace sancho {

namespace asio = boost::asio;
using asio::awaitable;
using Scope = std::shared_ptr<AsyncScope>;
using Chosen = AsyncManagerCore::Ending::Chosen;
namespace this_coro = asio::this_coro;

// ## Whose turn it is

AsyncScope::Turn::Turn(AsyncScope& scope) : scope_(scope) {
  if (scope_.taken_.exchange(true))
    throw UsageError(
        "rule broken: two coroutines of one request use its session at once; of the operations of a scope one is under "
        "way at a time");
}

AsyncScope::Turn::~Turn() {
  if (!over_ && std::uncaught_exceptions() == 0) scope_.torn_ = true;
  scope_.taken_ = false;
}

std::optional<Misuse> AsyncScope::out_of_turn() const {
  if (!waiting_) return std::nullopt;
  return Misuse{
      Rule::one_at_a_time,
      "rule broken: a session is used while its request waits for the store; of the coroutines of one request "
      "one uses it at a time"};
}

// A coroutine that is torn down with its executor takes its scope along, and
// nobody has forgotten anything. That is not done on a thread that runs it.
AsyncScope::~AsyncScope() {
  const bool forgotten = executor && !is_over() && !torn_ && std::uncaught_exceptions() == 0;
  go_away(forgotten && coro::runs_here(executor).value_or(false));
}

std::optional<FormClaim> AsyncScope::consume(std::string_view) {
  throw UsageError(
      "rule broken: Session::consume_form_token waits on its thread, which serves others; say co_await "
      "scope.consume_form_token(token)");
}

bool AsyncScope::give_back(const FormClaim&) {
  throw UsageError(
      "rule broken: FormClaim::give_back waits on its thread, which serves others; say co_await "
      "scope.give_back(claim)");
}

// ## The operations

namespace {

// The store to be asked here and now, if it never waits. Who was cancelled hears of
// it on the other way.
SessionStore* in_place(const AsyncScope& scope, asio::cancellation_state state) {
  return coro::is_cancelled(state) ? nullptr : scope.core().in_place();
}

// Carries out one task of a scope; or what is left of it, which has `more`.
template <class Task>
awaitable<void> carry_on(AsyncScope& scope, Task& task) {
  const auto line = scope.line(co_await this_coro::executor);
  co_await coro::carry_on(task, line);
}
template <class Task>
awaitable<void> carry_out(AsyncScope& scope, Task& task) {
  const auto state = co_await this_coro::cancellation_state;
  if (auto* store = in_place(scope, state)) carry_out(task, *store);
  else if (task.more()) co_await carry_on(scope, task);
}

// What a first look has left over, which went wrong or was not the end. Coroutines
// that mostly come to their end without a task leave it to one of their own: a task
// is large, and would be made room for each time.
awaitable<void> go_in(AsyncScope& scope, AsyncScope::Entering::FirstLook& look, std::exception_ptr trouble) {
  AsyncScope::Entering entering(scope, std::move(look));
  bool more = true;
  if (trouble) {
    try {
      std::rethrow_exception(coro::as_trouble(trouble, *scope.core().store(), false));
    } catch (const StoreError& e) {
      entering.failed(e);
    }
    more = entering.more();
  }
  if (more) co_await carry_on(scope, entering);
}

// A store that needs no watch is looked at without the coroutines that a task has
// otherwise: most requests are over with it. What went wrong is settled as theirs
// would be.
awaitable<void> enter(Scope scope) {
  AsyncScope::Turn turn(*scope);
  scope->executor = co_await this_coro::executor;
  AsyncScope::Entering::FirstLook look(*scope);
  if (look.due()) {
    auto& store = *scope->core().store();
    bool over = false, aborted = false;
    std::exception_ptr trouble;
    if (store.punctual(asio::query(scope->executor, asio::execution::context))) {
      if (coro::is_cancelled(co_await this_coro::cancellation_state)) coro::throw_cancelled();
      try {
        const coro::Waiting waiting(scope->waiting());
        const auto until = look.until();
        auto found = co_await store.load(look.key(), until);
        if (found) look.place() = *std::move(found);
        over = look.looked(found.has_value());
      } catch (const boost::system::system_error&) {
        aborted = true;
        trouble = std::current_exception();
      } catch (const StoreError&) {
        trouble = std::current_exception();
      }
      if (aborted && coro::is_cancelled(co_await this_coro::cancellation_state)) coro::throw_cancelled();
    }
    if (over) {
      look.settle();
    } else {
      auto rest = go_in(*scope, look, std::move(trouble));
      co_await std::move(rest);
    }
  }
  turn.over();
}

// Where it waits for nothing.
std::optional<HeaderLines> finish_here(AsyncScope& scope, asio::cancellation_state state) {
  auto* store = in_place(scope, state);
  if (!store) return std::nullopt;
  AsyncScope::Turn turn(scope);
  scope.must_not_be_over();
  try {
    AsyncScope::Saving::carry_out_with(*store, scope);
  } catch (...) {
    scope.give_up();
    throw;
  }
  turn.over();
  return scope.leave();
}

awaitable<void> save(AsyncScope& scope) {
  AsyncScope::Saving saving(scope);
  co_await carry_out(scope, saving);
}

awaitable<HeaderLines> finish(Scope scope) {
  const auto state = co_await this_coro::cancellation_state;
  if (auto lines = finish_here(*scope, state)) co_return *std::move(lines);
  AsyncScope::Turn turn(*scope);
  scope->must_not_be_over();
  try {
    if (!AsyncScope::Saving::is_needless(*scope)) co_await save(*scope);
  } catch (...) {
    scope->give_up();
    throw;
  }
  turn.over();
  co_return scope->leave();
}

awaitable<void> maintain(Scope scope) {
  AsyncScope::Turn turn(*scope);
  if (!AsyncScope::Saving::is_needless(*scope)) co_await save(*scope);
  turn.over();
}

awaitable<void> log_out(AsyncScope& scope) {
  AsyncScope::LoggingOut out(scope);
  co_await carry_out(scope, out);
}

awaitable<void> expire(Scope scope) {
  AsyncScope::Turn turn(*scope);
  co_await log_out(*scope);
  turn.over();
}

awaitable<std::optional<FormClaim>> consume(Scope scope, AsyncScope::Consuming::Digest token) {
  AsyncScope::Turn turn(*scope);
  AsyncScope::Consuming consuming(*scope, token);
  co_await carry_out(*scope, consuming);
  turn.over();
  co_return consuming.result();
}

awaitable<bool> return_claim(Scope scope, FormClaim claim) {
  AsyncScope::Turn turn(*scope);
  AsyncScope::GivingBack giving(*scope, claim);
  co_await carry_out(*scope, giving);
  turn.over();
  co_return giving.result();
}

awaitable<void> announce(Scope scope, std::string subject) {
  AsyncScope::Turn turn(*scope);
  AsyncScope::Announcing announcing(*scope, std::move(subject));
  co_await carry_out(*scope, announcing);
  turn.over();
}

awaitable<std::vector<SessionInfo>> list(Scope scope) {
  AsyncScope::Turn turn(*scope);
  AsyncScope::Listing listing(*scope);
  co_await carry_out(*scope, listing);
  turn.over();
  co_return listing.result();
}

awaitable<bool> end_one(Scope scope, Handle handle) {
  AsyncScope::Turn turn(*scope);
  auto& core = scope->core();
  bool ended = true;
  if (scope->own_handle() == handle) {
    co_await log_out(*scope);
  } else if (const auto subject = scope->acting_for(); !subject.empty()) {
    const auto line = scope->line(co_await this_coro::executor);
    Chosen chosen = [handle](const KeyedRecord& k) { return k.record.handle == handle; };
    ended = co_await core.end_chosen(line, subject, std::move(chosen), core.deadline()) > 0;
  } else {
    ended = false;
  }
  turn.over();
  co_return ended;
}

awaitable<std::size_t> end_others(Scope scope) {
  AsyncScope::Turn turn(*scope);
  auto& core = scope->core();
  const auto mine = scope->own_handle();
  const auto subject = scope->acting_for();
  std::size_t ended = 0;
  if (!subject.empty()) {
    const auto line = scope->line(co_await this_coro::executor);
    // As in the blocking scope: a login of this very request goes on.
    auto* seen = core.store()->epochs() ? scope->announced(subject) : nullptr;
    bool holds = false;
    if (seen) holds = co_await core.epochs(line, subject) == *seen;
    const auto epoch = co_await core.change_epoch(line, subject, core.deadline());
    if (holds && epoch) seen->subject = *epoch;
    Chosen chosen = [mine](const KeyedRecord& k) { return k.record.handle != mine; };
    ended = co_await core.end_chosen(line, subject, std::move(chosen), core.deadline());
  }
  turn.over();
  co_return ended;
}

}  // namespace

// ## The handle

Scope AsyncRequestScopeBase::held() const {
  if (!scope_) throw UsageError("rule broken: this scope holds no request; it is empty, or was moved away");
  return scope_;
}
AsyncScope& AsyncRequestScopeBase::scope() const { return *held(); }

awaitable<HeaderLines> AsyncRequestScopeBase::finish() { return sancho::finish(held()); }
std::optional<HeaderLines> AsyncRequestScopeBase::finish_in_place(asio::cancellation_state state) {
  return finish_here(scope(), state);
}
awaitable<void> AsyncRequestScopeBase::expire_session() { return expire(held()); }
awaitable<std::optional<FormClaim>> AsyncRequestScopeBase::consume_form_token(std::string_view token) {
  return consume(held(), AsyncScope::Consuming::digest(token));
}
awaitable<bool> AsyncRequestScopeBase::give_back(const FormClaim& claim) { return return_claim(held(), claim); }
awaitable<void> AsyncRequestScopeBase::begin_login(std::string_view subject) {
  return announce(held(), std::string(subject));
}
awaitable<std::vector<SessionInfo>> AsyncRequestScopeBase::sessions() { return list(held()); }
awaitable<bool> AsyncRequestScopeBase::end_session(Handle handle) { return end_one(held(), handle); }
awaitable<std::size_t> AsyncRequestScopeBase::end_other_sessions() { return end_others(held()); }

// While an operation is under way there is nothing to be had from the scope.
HeaderLines AsyncRequestScopeBase::abort() noexcept {
  return scope_ && !scope_->in_use() ? scope_->abort() : HeaderLines();
}

void AsyncRequestScopeBase::revoke_session_cookie() { scope().revoke_session_cookie(); }
LoginOutcome AsyncRequestScopeBase::login_outcome() const { return scope().login_outcome(); }
std::optional<SessionTicket> AsyncRequestScopeBase::ticket() const { return scope().ticket(); }
bool AsyncRequestScopeBase::is_fresh(std::optional<Duration> max_age) const { return scope().is_fresh(max_age); }
bool AsyncRequestScopeBase::can_read() const { return scope().can_read(); }
bool AsyncRequestScopeBase::can_write() const { return scope().can_write(); }
const std::string& AsyncRequestScopeBase::remote_address() const { return scope().remote_address(); }
bool AsyncRequestScopeBase::https() const { return scope().https(); }
asio::any_io_executor AsyncRequestScopeBase::get_executor() const { return scope().executor; }

// ## What the manager does with a scope

awaitable<void> AsyncSessionManagerBase::maintain_session(AsyncRequestScopeBase& scope) {
  return maintain(scope.held());
}

awaitable<void> AsyncSessionManagerBase::enter(std::shared_ptr<AsyncScope> scope) {
  return sancho::enter(std::move(scope));
}

bool AsyncSessionManagerBase::enter_in_place(AsyncScope& scope, const asio::any_io_executor& executor,
                                             asio::cancellation_state state) {
  auto* store = in_place(scope, state);
  if (!store) return false;
  AsyncScope::Turn turn(scope);
  scope.executor = executor;
  AsyncScope::Entering::carry_out_with(*store, scope);
  turn.over();
  return true;
}

void AsyncSessionManagerBase::adopt(AsyncScope& scope, std::unique_ptr<SimpleSession> session) {
  scope.adopt(std::move(session));
}

SessionContext AsyncSessionManagerBase::context(AsyncScope& scope) { return scope.context(); }

}  // namespace sancho
