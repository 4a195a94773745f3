#include "protocol/look.hpp"

namespace sancho::protocol {

namespace {

SessionEnd end_of(EndReason why) {
  if (why == EndReason::login) return SessionEnd::other_user;
  return why == EndReason::empty ? SessionEnd::emptied : SessionEnd::logged_out;
}

}  // namespace

bool Look::leads_on(const Answer& answer) {
  const auto* answered = std::get_if<Found>(&answer);
  if (!answered || answered->record.state == State::note) {
    end = SessionEnd::gone;
    return false;
  }
  const auto& record = answered->record;
  if (record.subject != subject_) {
    end = SessionEnd::other_user;
    return false;
  }
  // A pending one is named by the record that led here, so it was decided.
  if (record.state == State::live || record.state == State::pending) {
    found = true;
    accessed_ = record.accessed;
    incarnation_ = record.version.incarnation;
    return false;
  }
  const PayloadView payload(record);
  const bool on = record.state == State::moved || payload.why == EndReason::reauth;
  if (on && payload.successor) {
    key = *payload.successor;
    return true;
  }
  end = end_of(payload.why);
  return false;
}

const Op* Look::resume(Env& env, Answer& answer) {
  SANCHO_BEGIN
  do {
    SANCHO_ASK(Load{key});
  } while (leads_on(answer));
  if (found && access_older_than_ && env.now - accessed_ >= *access_older_than_)
    SANCHO_ASK((Touch{key, incarnation_, env.now}));
  SANCHO_END;
}

}  // namespace sancho::protocol
