#include "worker.hpp"

#include <fmt/format.h>

namespace sancho::history {

using races::Ear;
using Scope = RequestScope<races::RaceSession>;
using Numbers = std::vector<std::uint64_t>;

namespace {
// In the order of `Kind`: how often of a thousand times each is drawn.
constexpr int shares[] = {350, 120, 120, 150, 60, 60, 130, 5, 5};
constexpr std::string_view names[] = {"read", "append",  "insert", "add",    "rotate",
                                      "show", "consume", "log_in", "log_out"};

constexpr const char* set_slot = "set";
constexpr const char* log_slot = "log";

Saw look_at(const races::RaceSession& session) {
  return {session.get_user().value_or(""), session.get<Numbers>(set_slot).value_or(Numbers{}),
          session.get<Numbers>(log_slot).value_or(Numbers{}), session.hits.value()};
}

Numbers with(const Numbers& numbers, std::uint64_t one) {
  auto more = numbers;
  more.push_back(one);
  return more;
}
}  // namespace

// An id that was renewed leads on for longer than any fault lasts here, so that a
// browser that was away meanwhile is no stranger.
Policy load_policy(const Options& options) {
  auto policy = races::race_policy();
  policy.store_timeout = options.timeout;
  policy.rotation_grace = std::chrono::minutes(10);
  policy.keep_ended = std::chrono::minutes(20);
  return policy;
}

std::string user_of(int session) { return fmt::format("u{}", session); }

Worker::Worker(races::Manager& sessions, Jars& jars, History& history, const Options& options, unsigned process,
               unsigned thread)
    : sessions_(sessions),
      jars_(jars),
      history_(history),
      browsers_(options.sessions),
      process_(process),
      thread_(thread),
      chance_(options.seed * 1'000'003 + process * 1'009 + thread) {}

Worker::Kind Worker::draw() {
  int n = static_cast<int>(chance_() % 1000), kind = 0;
  while (n >= shares[kind]) n -= shares[kind++];
  return static_cast<Kind>(kind);
}

Operation Worker::begin(Kind kind, int session) {
  Operation operation;
  operation.number = jars_.next_operation();
  operation.process = process_;
  operation.thread = thread_;
  operation.kind = names[static_cast<int>(kind)];
  operation.session = session;
  return operation;
}

void Worker::play_one() {
  const auto tab = jars_.tab(static_cast<unsigned>(chance_() % browsers_));
  auto kind = tab.turned_away ? Kind::log_in : draw();
  Form form;
  if (kind == Kind::consume) {
    const auto shown = jars_.form(tab.browser);
    if (shown && shown->session == tab.session)
      form = *shown;
    else
      kind = Kind::show;
  }
  auto operation = begin(kind, tab.session);
  switch (kind) {
    case Kind::append:
    case Kind::insert:
    case Kind::show:
      operation.value = jars_.next_value();
      break;
    case Kind::add:
      operation.value = 1 + chance_() % 9;
      break;
    case Kind::consume:
      operation.value = form.number;
      break;
    case Kind::log_in:
      operation.becomes = jars_.new_session();
      if (!operation.becomes) return;
      break;
    default:
      break;
  }
  operation.renew = kind == Kind::rotate || (kind <= Kind::add && chance_() % 40 == 0);
  operation.began = now();
  if (kind != Kind::read || operation.renew) history_.begins(operation);
  request(kind, operation, tab, form);
  operation.ended = now();
  history_.is_over(operation);
}

void Worker::request(Kind kind, Operation& operation, const Tab& tab, Form& form) {
  Ear::forget();
  const auto header = races::cookie_header(tab.cookie);
  const std::string_view line = header;
  try {
    auto scope = sessions_.start_request(races::request_with(line));
    operation.loaded = now();
    if (!scope->id().empty()) operation.saw = look_at(*scope);
    if (!operation.saw && kind != Kind::log_in) {
      scope.abort();
      operation.outcome = "not_found";
      jars_.turned_away(tab);
      return;
    }
    act(kind, operation, scope, form);
    operation.acted = now();
    const auto change = races::cookie_change(scope.finish());
    if (Ear::count(EventKind::dropped)) operation.outcome = "dropped";
    if (Ear::count(EventKind::login_lost)) operation.outcome = "lost";
    if (!change.value.empty()) jars_.arrived(tab, operation.becomes.value_or(tab.session), change.value);
    if (change.forget) jars_.deleted(tab);
    if (kind == Kind::show && operation.outcome == "ok") jars_.show(tab.browser, form);
  } catch (const StoreError& e) {
    operation.outcome = to_string(e.kind());
    operation.maybe = e.maybe_done();
    operation.message = e.what();
  } catch (const std::exception& e) {
    operation.outcome = "exception";
    operation.message = e.what();
  }
}

void Worker::act(Kind kind, Operation& operation, Scope& scope, Form& form) {
  auto& session = *scope;
  switch (kind) {
    case Kind::append:
      session.set(log_slot, with(operation.saw->log, *operation.value), Merge::append(0));
      break;
    case Kind::insert:
      session.set(set_slot, with(operation.saw->set, *operation.value), Merge::set_union());
      break;
    case Kind::add:
      session.hits += static_cast<std::int64_t>(*operation.value);
      break;
    case Kind::show:
      form = {*operation.value, operation.session, session.create_form_token()};
      break;
    case Kind::consume:
      operation.claimed = session.consume_form_token(form.token).has_value();
      break;
    case Kind::log_in:
      session.set_user(user_of(*operation.becomes));
      break;
    case Kind::log_out:
      scope.expire_session();
      break;
    case Kind::read:
    case Kind::rotate:
      break;
  }
  if (operation.renew) session.renew_id();
}

bool Worker::look(int session, const std::string& cookie) {
  auto operation = begin(Kind::read, session);
  operation.audit = true;
  operation.began = now();
  const auto header = races::cookie_header(cookie);
  const std::string_view line = header;
  try {
    auto scope = sessions_.start_request(races::request_with(line));
    operation.loaded = now();
    if (!scope->id().empty()) operation.saw = look_at(*scope);
    if (!operation.saw) operation.outcome = "not_found";
    scope.abort();
  } catch (const StoreError& e) {
    operation.outcome = to_string(e.kind());
    operation.message = e.what();
  }
  operation.ended = now();
  history_.is_over(operation);
  return operation.outcome == "ok" || operation.outcome == "not_found";
}

}  // namespace sancho::history
