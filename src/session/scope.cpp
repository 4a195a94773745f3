// A request's scope: how it is made from a request, what it tells, and how it
// leaves. It asks no store: what does is in `scope_tasks.cpp` and `saving.cpp`.
#include <algorithm>
#include <cstddef>

#include "base/checks.hpp"
#include "base/spare.hpp"
#include "session/scope_state.hpp"

namespace sancho {

using protocol::operator^;

// ## The beginning

ScopeBase::Arrival::Arrival(const ManagerBase& manager, const Request& request)
    : Arrival(manager, request, presented(manager.policy(), manager.parts_->pre_cookie.attributes().name, request)) {}

// The key comes first: until it is made a processor has time for all the rest.
ScopeBase::Arrival::Arrival(const ManagerBase& manager, const Request& request, const Presented& brought)
    : safe(request.method == "GET" || request.method == "HEAD"),
      id(brought.id()),
      key(id ? SessionKey::of(manager.policy().name_space, *id) : SessionKey()) {
  const auto& parts = *manager.parts_;
  const auto& policy = manager.policy();
  if (!id) id_refused = brought.refused;
  peer = parts.proxies.resolve(request.peer_address, request.https,
                               {request.x_forwarded_for, request.x_forwarded_proto, request.forwarded});
  from_elsewhere = policy.cookie.plain_http && !peer.remote_address.empty() && !is_loopback(peer.remote_address);
  user_agent_size_ = request.user_agent.copy(user_agent_.data(), user_agent_.size());
  if (brought.pre_session) pre_session = parts.pre_sessions.open(*brought.pre_session);
}

// ## The desk that it works at

namespace {
template <class Room, class State>
struct Desk {
  alignas(State) std::byte place[sizeof(State)];  // first: where the state is, there is the desk
  Room room;

  struct Drop {
    void operator()(Desk* desk) const noexcept { delete desk; }
  };
  using Spare = Stock<Desk*, 8, Drop>;
};
}  // namespace

void ScopeBase::Room::leave(std::string& room, std::string& text) noexcept {
  if (text.capacity() <= room.capacity() || text.capacity() > most) return;
  room = std::move(text);
  room.clear();
}

ScopeBase::State::~State() {
  session.reset();
  auto* record = loaded ? &*loaded : seat.hand && seat.hand->record ? &*seat.hand->record : nullptr;
  if (!record) return;
  Room::leave(room.record.payload, record->payload);
  Room::leave(room.record.subject, record->subject);
}

void ScopeBase::Leave::operator()(State* state) const noexcept {
  auto* desk = reinterpret_cast<Desk<Room, State>*>(state);
  state->~State();
  Desk<Room, State>::Spare::give(desk);
}

ScopeBase::ScopeBase(ManagerBase& manager, const Request& request) {
  using Spare = Desk<Room, State>::Spare;
  auto* desk = Spare::take();
  if (!desk) desk = new Desk<Room, State>;
  try {
    state_.reset(new (desk->place) State(manager, request, desk->room));
  } catch (...) {
    Spare::give(desk);
    throw;
  }
}

SessionContext ScopeBase::context() const {
  auto& s = *state_;
  const Record* record = s.seat.hand ? &*s.seat.hand->record : nullptr;
  return {const_cast<ScopeBase&>(*this), s.manager.clock(), s.manager.options_.random, record, record ? &*s.payload : nullptr,
          s.arrival.peer.remote_address};
}

void ScopeBase::adopt(std::unique_ptr<SimpleSession> session) {
  state_->session = std::move(session);
  state_->session->start_request();
}

ScopeBase::~ScopeBase() = default;

bool ScopeBase::is_over() const { return state_->closed; }

bool ScopeBase::is_thrown_away() const { return std::uncaught_exceptions() > state_->exceptions; }

void ScopeBase::go_away(bool forgotten) {
  if (state_->closed) return;
  if (forgotten && !state_->failed) {
    constexpr auto what = "rule broken: a request's scope needs finish() or abort() before it goes away";
    report(EventKind::unfinished, what);
    if constexpr (checks) tell_misuse({Rule::finished, what});
  }
  close();
}

SimpleSession& ScopeBase::session() const { return *state_->session; }
const std::string& ScopeBase::remote_address() const { return state_->arrival.peer.remote_address; }
bool ScopeBase::https() const { return state_->arrival.peer.https; }

void ScopeBase::report(EventKind kind, std::string_view detail) const {
  const auto& s = *state_;
  const bool known = s.seat.hand && s.seat.hand->record;
  s.manager.report(kind, known ? s.seat.hand->record->handle : s.session ? s.session->id() : Handle{},
                   known ? std::string_view(s.seat.hand->record->subject) : std::string_view{}, detail);
}

// Who gets one gets two or three more.
void ScopeBase::State::add_line(HeaderLine line) {
  if (lines.empty()) lines.reserve(4);
  lines.push_back(std::move(line));
}

protocol::Env ScopeBase::State::env(const protocol::Rules& of) const { return manager.env(of); }

protocol::Rules ScopeBase::State::rules() const {
  auto rules = manager.parts_->rules;
  if (const auto* with_tokens = session ? session->full_ : nullptr)
    rules.max_tokens = std::clamp<std::size_t>(with_tokens->max_form_tokens(), 1, 256);
  return rules;
}

// ## On the way

// The session goes on reading the record it was made from, wherever the seat
// is by now.
void ScopeBase::move_to(protocol::Hand&& where) {
  auto& s = *state_;
  if (!s.loaded && s.seat.hand) {
    s.loaded = std::move(s.seat.hand->record);
    s.session->record_ = &*s.loaded;
    s.payload.emplace(*s.loaded);
  }
  s.straight = false;
  s.seat.now_at(std::move(where));
}

void ScopeBase::logged_out() {
  auto& s = *state_;
  s.session->blank();
  if (std::exchange(s.ended_in_seat, false)) s.ended_in = s.seat.hand;
  s.straight = false;
  s.seat.leave();
  s.delete_cookie = s.clear_site_data = s.seat.presented.has_value();
}

void ScopeBase::revoke_session_cookie() {
  const auto held = state_->session->use();
  must_have_read("its cookie stays");
  state_->delete_cookie = true;
}

// The user whom the handler has set acts from then on, as after a new password;
// a session that has ended under its request acts for nobody.
std::string ScopeBase::acting_for() const {
  must_have_read("nobody can be said to act");
  const auto& s = *state_;
  const auto& subject = s.session->subject();
  const bool logging_in = !s.session->record_ || s.session->record_->subject != subject;
  return s.seat.hand || logging_in ? subject : std::string();
}

std::optional<Handle> ScopeBase::own_handle() const {
  const auto& s = *state_;
  if (!s.seat.hand || s.seat.hand->record->subject != acting_for()) return std::nullopt;
  return s.seat.hand->record->handle;
}

EpochsSeen* ScopeBase::announced(std::string_view subject) {
  auto& begun = state_->login_begun;
  return begun && begun->subject == subject ? &begun->seen : nullptr;
}

LoginOutcome ScopeBase::login_outcome() const { return state_->login; }

std::optional<SessionTicket> ScopeBase::ticket() const {
  const auto& where = state_->ended_in_seat ? state_->seat.hand : state_->ended_in;
  if (!where || !where->live()) return std::nullopt;
  return SessionTicket(where->key, where->record->handle, where->record->subject);
}

// ## Who is using it
//
// Nothing is ordered by this: a tool that looks for data races must see them.

bool ScopeBase::begin_use() const {
  const auto me = std::this_thread::get_id();
  std::thread::id user;  // nobody
  if (state_->user.compare_exchange_strong(user, me, std::memory_order_relaxed)) return true;
  if (user == me) return false;
  misused({Rule::one_at_a_time, "rule broken: two threads use a session at once"});
}

void ScopeBase::end_use() const noexcept { state_->user.store({}, std::memory_order_relaxed); }

// ## How long ago was the password?

bool ScopeBase::is_fresh(std::optional<Duration> max_age) const {
  const auto age = state_->session->get_auth_age();
  return age && *age <= max_age.value_or(state_->manager.policy().freshness);
}

// ## Form secrets

namespace {
// The one that its store holds masked; nothing for a record without one.
std::optional<CsrfSecret> secret_of(const protocol::Hand& hand) {
  const auto masked = protocol::PayloadView(*hand.record).csrf;
  if (!masked) return std::nullopt;
  return *masked ^ protocol::csrf_mask(hand.id);
}
}  // namespace

std::optional<CsrfSecret> ScopeBase::csrf_secret(bool make) {
  auto& s = *state_;
  // Whoever this is, no form on this page would work for them later; or none is
  // needed, because nobody's browser sends the id by itself.
  if (s.blind || !s.manager.policy().transport.by_cookie()) return std::nullopt;
  if (s.new_secret) return s.new_secret;
  // Saved already: the page belongs to what this request ended in.
  if (s.ended_in && s.ended_in->live()) {
    if (const auto secret = secret_of(*s.ended_in)) return secret;
  }
  const auto& loaded = s.session->record_;
  // A login has been decided on: the page that is being made is the new identity's.
  const bool other = s.session->subject() != (loaded ? loaded->subject : std::string()) || s.session->reauthenticated_;
  if (other && s.session->has_user() && make) {
    s.new_secret.emplace();
    s.manager.options_.random.fill(*s.new_secret);
    return s.new_secret;
  }
  // Where the user has left, the page is a visitor's.
  if (s.seat.hand && !other) {
    if (const auto secret = secret_of(*s.seat.hand)) return secret;
  }
  if (!s.pre_session && make) {
    s.pre_issued = s.manager.parts_->pre_sessions.issue(s.manager.options_.random);
    s.pre_session = s.manager.parts_->pre_sessions.open(*s.pre_issued);
  }
  return s.pre_session;
}

bool ScopeBase::csrf_matches(std::string_view token, std::string_view form) {
  auto& s = *state_;
  if (s.blind) return false;
  if (!s.manager.policy().transport.by_cookie()) return true;
  if (s.seat.hand) {
    if (const auto secret = secret_of(*s.seat.hand); secret && check_csrf_token(*secret, form, token)) return true;
    // A visitor's form may be older than the visitor's session; a user's never is.
    if (!s.seat.hand->record->subject.empty()) return false;
  }
  return s.pre_session && check_csrf_token(*s.pre_session, form, token);
}

// ## The end

void ScopeBase::close() {
  state_->closed = state_->maintained = true;
  if (state_->session) state_->session->open_ = false;
}

void ScopeBase::must_not_be_over() const {
  if (state_->closed || state_->failed) throw UsageError("rule broken: a request is finished twice");
}

// What acted at once still has its header lines: `abort` gives them.
void ScopeBase::give_up() {
  state_->failed = state_->maintained = true;
  state_->session->open_ = false;
}

HeaderLines ScopeBase::abort() noexcept {
  if (state_->closed) return {};
  state_->pre_issued.reset();
  return leave();
}

HeaderLines ScopeBase::leave() {
  auto& s = *state_;
  const auto& transport = s.manager.policy().transport;
  if (s.delete_cookie) s.add_line(forgetting(transport, s.manager.parts_->cookie));
  if (s.clear_site_data && s.manager.policy().clear_site_data_at_logout)
    s.add_line({"Clear-Site-Data", s.pre_session ? R"("cache", "storage")" : R"("cache", "cookies", "storage")"});
  if (s.pre_issued) s.add_line({"Set-Cookie", s.manager.parts_->pre_cookie.build(*s.pre_issued)});
  // A page without its session is nobody's to keep.
  if (!s.lines.empty() || s.blind) {
    s.add_line({"Cache-Control", "no-store"});
    s.add_line(varying(transport));
  }
  close();
  return std::move(s.lines);
}

}  // namespace sancho
