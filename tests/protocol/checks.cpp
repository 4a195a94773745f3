#include "checks.hpp"

#include <algorithm>

namespace sancho::proof {

using namespace protocol;

Checks::Checks(World& world) : w_(world) {
  causes_ = asks({Does::login, Does::login_counted, Does::login_refuse, Does::login_evict, Does::reauth, Does::logout, Does::end_all});
  empties_ = std::any_of(w_.scenario.does.begin(), w_.scenario.does.end(), [&](Does d) { return may_empty(w_.scenario.start, d); });
  for (const auto& [key, record] : w_.universe.rows(w_.start.store)) {
    const auto& seen = w_.universe.seen(record);
    token_ |= !seen.payload.tokens.empty();
    h0_ |= seen.handle == "h0";
    ended_ |= seen.record.state == sancho::State::ended;
    used_ |= seen.payload.used.has_value();
  }
}

bool Checks::asks(std::initializer_list<Does> any) const {
  const auto& does = w_.scenario.does;
  return std::find_first_of(does.begin(), does.end(), any.begin(), any.end()) != does.end();
}

// ## What the ids of a store open

Checks::Opened Checks::opens(No store, IdNo id) {
  if (id == 0) return {};
  auto& u = w_.universe;
  std::uint32_t drawn = 0;
  Chance chance(u.names, 'p', drawn);
  const Rules rules;
  Env env{.name_space = "", .rules = rules, .random = chance, .now = now};
  Open probe(env, u.names.id(id));
  Answer answer;
  while (const auto* op = probe.resume(env, answer)) {
    const auto after = u.apply(store, u.operation(*op));
    store = after.store;
    answer = u.answer(after.reply);
  }
  if (!probe.hand.live()) return {};
  return {u.names.of(probe.hand.id), u.record(*probe.hand.record)};
}

const std::vector<Checks::Session>& Checks::live(No store) {
  if (const auto* known = live_by_store_.find(store)) return live_[*known];
  live_by_store_.insert(store, static_cast<No>(live_.size()));
  std::vector<Session> sessions;
  const auto rows = w_.universe.rows(store);
  for (const auto& row : rows) {
    const auto opened = opens(store, row.first);
    if (!opened) continue;
    const auto& seen = w_.universe.seen(opened.record);
    auto at = std::find_if(sessions.begin(), sessions.end(), [&](const Session& s) { return s.handle() == seen.handle; });
    if (at == sessions.end()) at = sessions.insert(at, Session{{}, &seen});
    if (std::find(at->ids.begin(), at->ids.end(), opened.id) == at->ids.end()) at->ids.push_back(opened.id);
    at->seen = &seen;
  }
  return live_.emplace_back(std::move(sessions));
}

const Checks::Session* Checks::Case::session(std::string_view handle) const {
  const auto at = std::find_if(live.begin(), live.end(), [&](const Session& each) { return each.handle() == handle; });
  return at == live.end() ? nullptr : &*at;
}

// ## Asking

Fact Checks::fact(const State& s) const {
  Fact f{};
  f.store = s.store;
  f.jar = s.jar;
  f.marks = s.marks;
  f.faults = s.faults;
  for (std::size_t i = 0; i < most; ++i) {
    if (s.running(i)) continue;
    f.at[i] = s.at[i];
    if (w_.has_result(s, i)) f.result[i] = w_.machines.result(s.machine[i]) + 1;
  }
  return f;
}

void Checks::ask(const State& s, const Report& report) {
  std::vector<const Result*> done;
  bool crashed = false;
  for (std::size_t i = 0; i < w_.scenario.does.size(); ++i) {
    done.push_back(w_.has_result(s, i) ? &w_.result(s, i) : nullptr);
    crashed |= s.at[i] == At::crashed;
  }
  const bool expired = s.marks & any_expired;
  const bool only_graces = (s.marks & any_expired & ~expired_mark(sancho::State::moved)) == 0;
  const Case c{s, std::move(done), live(s.store), crashed, expired, only_graces};
  for (const auto* r : c.done)
    if (r && r->outcome == Ended::trouble) report("no trouble", r->trouble);
  one_session(c, report);
  logout_wins(c, report);
  all_are_ended(c, report);
  never_above_the_cap(c, report);
  token_once(c, report);
  emptied(c, report);
  form_secrets(c, report);
  if (!s.over()) return;
  no_lost_update(c, report);
  fence(c, report);
  login_works(c, report);
  loses_nobody(c, report);
}

// A cookie leaves only for an id that opens, and is deleted only where nothing
// opens any more.
void Checks::ask_decided(const State& after, std::size_t i, const Report& report) {
  const auto& r = w_.result(after, i);
  const auto& names = w_.universe.names;
  if (r.cookie == deletion) {
    if (opens(after.store, r.presented)) report("P4 cookie decided", std::string(1, name(i)) + " deletes a cookie that opens a session");
  } else if (r.cookie && !opens(after.store, r.cookie)) {
    report("P4 cookie decided", std::string(1, name(i)) + " sends " + names.label(r.cookie) + ", which opens nothing");
  }
}

// ## In every state

void Checks::one_session(const Case& c, const Report& report) {
  for (const auto& session : c.live) {
    if (session.ids.size() > 1) report("P5 one successor", session.handle() + " opens under two ids");
    if (session.inherits() && c.session(session.seen->heir_of))
      report("P4 one identity", session.seen->heir_of + " and its heir " + session.handle() + " both open");
  }
  for (const auto* r : c.done) {
    if (r && (r->outcome == Ended::lost || r->outcome == Ended::at_cap) && is_login(r->does) && c.session(r->heir))
      report("P4 one identity", "a login that lost left " + r->heir + " open");
  }
}

void Checks::logout_wins(const Case& c, const Report& report) {
  for (const auto* r : c.done) {
    if (!r || r->does != Does::logout || !r->presented) continue;
    auto handle = r->handle;
    if (handle.empty() && w_.universe.names.label(r->presented).starts_with('X') && !c.expired) handle = "h0";
    if (c.session(handle)) report("P2 logout wins", handle + " still opens");
  }
}

// Who comes after all sessions of U1 were ended finds none but of logins that
// began later. (Of a login that has not finished, or crashed, nobody can say.)
void Checks::all_are_ended(const Case& c, const Report& report) {
  const auto by = [&](std::size_t i, const Session& s) { return s.handle() == std::string("h") + name(i); };
  for (const auto* all : c.done) {
    if (!all || all->does != Does::end_all) continue;
    for (const auto& session : c.live) {
      if (session.seen->record.subject != "U1") continue;
      bool lawful = false;
      for (std::size_t i = 0; i < c.done.size(); ++i) {
        // Without a session a reauthentication is a login, and one that knows no epoch.
        const bool unknowing = w_.scenario.does[i] == Does::reauth && by(i, session);
        lawful |= unknowing;
        if (!by(i, session) || !is_login(w_.scenario.does[i])) continue;
        lawful |= !c.done[i] || c.done[i]->late || c.done[i]->does == Does::login;
      }
      if (!lawful) report("P2 the end of all wins", session.handle() + " still opens");
    }
  }
}

void Checks::never_above_the_cap(const Case& c, const Report& report) {
  for (const auto does : w_.scenario.does)
    if ((is_login(does) && !is_capped(does)) || does == Does::reauth) return;
  for (const std::string_view subject : {"U1", "U2"})
    if (std::count_if(c.live.begin(), c.live.end(), [&](const Session& s) { return s.seen->record.subject == subject; }) > 1)
      report("P4 never above the cap", std::string(subject) + " has more than one session");
}

void Checks::token_once(const Case& c, const Report& report) {
  int claims = 0, spenders = 0;
  for (std::size_t i = 0; i < c.done.size(); ++i) {
    claims += c.done[i] && c.done[i]->outcome == Ended::claimed;
    spenders += (c.s.marks & spent_by(i)) != 0;
  }
  if (claims > 1) report("P3 token once", "claimed twice");
  if (spenders > 1) report("P3 token once", "spent twice");
  for (std::size_t i = 0; i < c.done.size(); ++i) {
    const auto* r = c.done[i];
    if (!r || r->does != Does::consume) continue;
    const std::string who(1, name(i));
    if (r->outcome == Ended::refused && (c.s.marks & spent_by(i))) report("P3 winner knows", who + " spent the token and was refused");
    if (r->outcome == Ended::in_doubt && !c.expired) report("P3 winner knows", who + " cannot tell");
    const bool there = r->handle == "h0" && r->saw == Saw::session && token_;
    if (r->outcome == Ended::refused && there && spenders == 0 && !c.expired && !causes_ && !asks({Does::empty}))
      report("P3 somebody wins", who + " was refused, and nobody spent it");
  }
}

// A session that was ended because it was empty: it stays ended, its cookie is
// deleted, and nothing went with it that its last request had not seen.
void Checks::emptied(const Case& c, const Report& report) {
  for (const auto* gone : c.done) {
    if (!gone || gone->outcome != Ended::emptied) continue;
    if (c.session(gone->handle)) report("P1 emptied", gone->handle + " still opens");
    if (gone->presented && gone->cookie != deletion) report("P1 emptied", "the cookie of " + gone->handle + " was not deleted");
    std::int64_t counted = 0;
    for (std::size_t i = 0; i < c.done.size(); ++i) {
      const auto* r = c.done[i];
      if (!r || r->outcome != Ended::kept || r->handle != gone->handle) continue;
      counted += r->does == Does::inc || r->does == Does::rotate_inc;
      const char slot = r->does == Does::write_a ? 'a' : r->does == Does::write_b ? 'b' : 0;
      if (!slot || erased_by_another(c, gone, slot)) continue;
      if (gone->base[slot].empty() || gone->base[slot] == "0")
        report("P1 emptied", std::string(1, name(i)) + "'s write went with " + gone->handle + ", unseen");
    }
    if (!erased_by_another(c, gone, 'n') && gone->base.n.value_or(0) < counted)
      report("P1 emptied", "a count went with " + gone->handle + ", unseen");
  }
}

// May a request other than this one have erased the slot, as any write may?
bool Checks::erased_by_another(const Case& c, const Result* than, char slot) const {
  for (std::size_t i = 0; i < c.done.size(); ++i) {
    const auto does = w_.scenario.does[i];
    if (c.done[i] != than && (does == Does::empty || (slot == 'a' && does == Does::erase_a))) return true;
  }
  return false;
}

// The CSRF secret can be unmasked with the id that opens the session, and a
// login has another than the session before it.
void Checks::form_secrets(const Case& c, const Report& report) {
  for (const auto& session : c.live) {
    if (session.ids.size() != 1) continue;
    const auto& csrf = session.seen->payload.csrf;
    if (!csrf) {
      report("P5 loses nobody", session.handle() + " has no form secret");
      continue;
    }
    const auto open = *csrf ^ csrf_mask(w_.universe.names.id(session.ids[0]));
    if (std::count(open.begin(), open.end(), open[0]) != 32) report("P5 loses nobody", "the form secret of " + session.handle() + " is lost");
    else if (session.inherits() && open[0] == std::byte{'0'}) report("P4 fence", session.handle() + " has the form secret of " + session.seen->heir_of);
  }
}

// ## At the end

namespace {
bool adds(Does does) {
  return does == Does::write_a || does == Does::write_b || does == Does::inc || does == Does::rotate_inc;
}
}  // namespace

void Checks::no_lost_update(const Case& c, const Report& report) {
  for (const auto& session : c.live) {
    if (session.inherits() && c.crashed) continue;                 // then nobody knows what the login saw
    if (session.seen->heir_of == session.handle()) continue;       // a reauthentication fences too
    const auto& slots = session.seen->slots;
    bool erased_a = false;
    for (const auto* r : c.done) {
      if (!r || r->handle != session.handle() || is_login(r->does) || r->outcome != Ended::kept) continue;
      erased_a |= r->does == Does::erase_a;
      const char slot = r->does == Does::write_a ? 'a' : r->does == Does::write_b ? 'b' : 0;
      if (!slot || !slots[slot].empty() || (slot == 'a' && asks({Does::erase_a, Does::empty}))) continue;
      // A request that removes everything removes what it has seen.
      const bool seen = std::any_of(c.done.begin(), c.done.end(), [&](const Result* q) {
        return asks({Does::empty}) && (!q || (q->does == Does::empty && !q->base[slot].empty()));
      });
      if (!seen) report("P1 no lost update", std::string("slot ") + slot + " of " + session.handle() + " is gone");
    }
    if (erased_a && !asks({Does::write_a}) && !slots.a.empty()) report("P1 no rebirth", "an erased slot is back");
    exact_counter(c, session, report);
  }
  if (!c.only_graces || causes_) return;  // a request that has begun is led on beyond the grace
  for (std::size_t i = 0; i < c.done.size(); ++i)
    // Where another has emptied the session, what adds something goes on.
    if (c.done[i] && c.done[i]->saw == Saw::session && c.done[i]->outcome == Ended::dropped && (!empties_ || adds(w_.scenario.does[i])))
      report("P1 no lost update", std::string(1, name(i)) + "'s write was dropped without a cause");
}

void Checks::exact_counter(const Case& c, const Session& session, const Report& report) {
  std::int64_t kept = 0, doubt = 0, before = 0;
  for (std::size_t i = 0; i < c.done.size(); ++i) {
    const auto* r = c.done[i];
    const auto does = w_.scenario.does[i];
    if (r && session.inherits() && r->heir == session.handle()) before = r->base.n.value_or(0);
    if (does != Does::inc && does != Does::rotate_inc) continue;
    doubt += !r || r->outcome == Ended::in_doubt;
    kept += r && r->handle == session.handle() && r->outcome == Ended::kept;
  }
  const auto n = session.seen->slots.n.value_or(0) - before;
  if ((n < kept && !asks({Does::empty})) || n > kept + doubt)
    report("P1 exact counter", session.handle() + " counts " + std::to_string(n) + " of " + std::to_string(kept) + " (+" + std::to_string(doubt) + ")");
}

// In the new identity's record there is what its login saw, and what was
// written into it since.
void Checks::fence(const Case& c, const Report& report) {
  if (c.crashed) return;
  for (std::size_t i = 0; i < c.done.size(); ++i) {
    const auto* login = c.done[i];
    if (!login || login->heir.empty() || login->outcome != Ended::won || login->saw != Saw::session) continue;
    const auto* session = c.session(login->heir);
    if (!session) continue;
    for (const char slot : {'a', 'b'}) {
      const auto& by = session->seen->slots[slot];
      bool allowed = by.empty() || by == login->base.a || by == login->base.b || by[0] == name(i);
      for (std::size_t j = 0; j < c.done.size(); ++j) {
        const auto* r = c.done[j];
        const bool inside = r->handle == login->heir && (is_login(login->does) || !w_.universe.names.related(r->presented, login->presented));
        allowed |= inside && !by.empty() && by[0] == name(j);
      }
      if (!allowed) report("P4 fence", by + "'s " + slot + " is in the record of " + login->heir);
    }
  }
}

// A login with a right password is not lost for nothing.
void Checks::login_works(const Case& c, const Report& report) {
  if (c.expired || c.crashed) return;
  const auto causes = std::count_if(w_.scenario.does.begin(), w_.scenario.does.end(),
                                    [](Does d) { return is_login(d) || d == Does::reauth || d == Does::logout || d == Does::end_all; });
  for (const auto* r : c.done) {
    if (!r || !is_login(r->does)) continue;
    // The one that was in its way may have gone since; and a ghost whose removal
    // was not answered may still hold its place.
    const bool faulty = c.s.faults < w_.scenario.faults;
    if (r->does == Does::login_refuse && r->outcome == Ended::at_cap && (!c.live.empty() || empties_ || faulty)) continue;
    if (asks({Does::end_all}) && r->outcome == Ended::lost) continue;
    if (causes > 1 && asks({Does::login_refuse, Does::login_evict})) continue;
    if (r->outcome != Ended::won && causes == 1) report("P4 login works", "the only login was lost");
    if (r->saw != Saw::session && (r->outcome != Ended::won || !r->cookie)) report("P4 login works", "a login on a dead cookie failed");
  }
}

// An id whose grace is over opens nothing: lawful where its successor's own id
// was presented before.
bool Checks::lawfully_over(const Case& c, IdNo id) const {
  if (!(c.s.marks & expired_mark(sancho::State::moved))) return false;
  const auto& names = w_.universe.names;
  return c.crashed || used_ || std::any_of(c.done.begin(), c.done.end(), [&](const Result* r) {
           return r && r->presented && names.label(r->presented).starts_with(names.label(id) + "/");
         });
}

void Checks::loses_nobody(const Case& c, const Report& report) {
  if (c.only_graces && !causes_ && !empties_ && h0_ && !ended_ && w_.start.jar) {
    if (!opens(c.s.store, c.s.jar) && !lawfully_over(c, c.s.jar))
      report("P5 loses nobody", "the browser's " + w_.universe.names.label(c.s.jar) + " opens nothing");
    for (std::size_t i = 0; i < c.done.size(); ++i) {
      const auto* r = c.done[i];
      if (r && r->presented && r->saw != Saw::session && !lawfully_over(c, r->presented))
        report("P5 loses nobody", std::string(1, name(i)) + " saw no session");
    }
  }
  for (std::size_t i = 0; i < c.done.size(); ++i) {
    const auto* r = c.done[i];
    if (c.only_graces && r && r->presented && r->saw != Saw::session && opens(c.s.store, r->presented))
      report("P5 loses nobody", std::string(1, name(i)) + " saw no session behind an id that opens one");
  }
  if (c.s.faults < w_.scenario.faults || c.crashed) return;
  const auto& first = w_.universe.rows(w_.start.store);
  for (const auto& row : w_.universe.rows(c.s.store))
    if (w_.universe.seen(row.second).record.state == sancho::State::pending && std::find(first.begin(), first.end(), row) == first.end())
      report("P5 no leftover", w_.universe.names.label(row.first) + " is still pending");
}

}  // namespace sancho::proof
