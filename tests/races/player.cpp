#include "player.hpp"

#include <map>

namespace sancho::races {

namespace {
constexpr std::string_view cookie_name = "__Host-Http-sid";

thread_local std::map<EventKind, std::size_t> heard;

void idle(std::uint32_t turns) {
  for (std::uint32_t i = 0; i < turns; ++i) std::atomic_signal_fence(std::memory_order_seq_cst);
}

void act(const Job& job, RequestScope<RaceSession>& scope, Report& report) {
  switch (job.act) {
    case Act::read: break;
    case Act::write:
      scope->set(job.word.view(), job.add);
      scope->hits += job.add;
      break;
    case Act::log_out: scope.expire_session(); break;
    case Act::log_in: scope->set_user(job.word.string()); break;
    case Act::consume: report.claimed = scope->consume_form_token(job.word.view()).has_value(); break;
  }
  if (job.renew) scope->renew_id();
  if (job.reauthenticate) scope->reauthenticated();
}
}  // namespace

Policy race_policy() {
  Policy policy;
  policy.renewal.reset();
  policy.store_must.keeps = false;  // memcached: nothing is evicted in a race
  return policy;
}

void Ear::on_event(const Event& event) { ++heard[event.kind]; }
void Ear::forget() { heard.clear(); }
std::size_t Ear::count(EventKind kind) { return heard.contains(kind) ? heard[kind] : 0; }

CookieChange cookie_change(const HeaderLines& lines) {
  CookieChange change;
  for (const auto& [name, value] : lines) {
    if (name != "Set-Cookie" || !value.starts_with(cookie_name)) continue;
    const auto begin = cookie_name.size() + 1;
    change.value = value.substr(begin, value.find(';') - begin);
    change.forget = change.value.empty();
  }
  return change;
}

std::string cookie_header(std::string_view id) { return id.empty() ? std::string() : std::string(cookie_name) + "=" + std::string(id); }

Request request_with(const std::string_view& line) {
  Request request;
  if (!line.empty()) request.cookies = {&line, 1};
  return request;
}

Report play(Manager& sessions, const Job& job, Gate& gate) {
  Report report;
  Ear::forget();
  const auto header = cookie_header(job.cookie.view());
  const std::string_view line = header;
  bool met = !job.meet;
  gate.meet();
  idle(job.spins_before);
  report.began = gate.tick();
  try {
    auto scope = sessions.start_request(request_with(line));
    report.loaded = gate.tick();
    report.found = !scope->id().empty();
    if (!met) met = true, gate.meet();
    idle(job.spins_between);
    report.ending = gate.tick();
    act(job, scope, report);
    report.acted = gate.tick();
    const auto change = cookie_change(scope.finish());
    report.cookie = change.value;
    report.forgets = change.forget;
  } catch (const std::exception& e) {
    report.trouble = e.what();
    if (!met) gate.meet();
  }
  report.ended = gate.tick();
  report.dropped = Ear::count(EventKind::dropped) > 0;
  report.lost = Ear::count(EventKind::login_lost) > 0;
  report.merged = Ear::count(EventKind::merged) > 0;
  return report;
}

}  // namespace sancho::races
