#include "circuit.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sancho {

std::string_view to_string(Circuit circuit) { return circuit == Circuit::reads ? "reads" : "writes"; }

std::string_view to_string(CircuitState state) {
  switch (state) {
    case CircuitState::closed: return "closed";
    case CircuitState::open: return "open";
    case CircuitState::half_open: return "half_open";
  }
  return "unknown";
}

namespace {
// Between half of it and all of it. A breaker needs no secrets: where there is
// no randomness it waits for all of it.
Duration shortened(Duration backoff, RandomSource& random) {
  const auto half = backoff / 2;
  try {
    return half + Duration(static_cast<Duration::rep>(
                      random.draw_u64() % static_cast<std::uint64_t>((backoff - half).count() + 1)));
  } catch (const RandomError&) {
    return backoff;
  }
}
}  // namespace

CircuitSwitch::CircuitSwitch(const BreakerOptions& options) : options_(options), backoff_(options.backoff) {}

// ## Who passes

CircuitSwitch::Admission CircuitSwitch::admit(Moment now, Duration takes) {
  const std::lock_guard lock(mutex_);
  if (state_ == CircuitState::closed) return {Pass{epoch_}, {}};
  if (now < wait_until_) return {};
  // A probe: nobody else passes until it has ended, or should have.
  wait_until_ = now + takes;
  ++epoch_;
  Admission admission;
  if (state_ == CircuitState::open) admission.change = change_to(CircuitState::half_open, "one call passes as a probe");
  admission.pass = Pass{epoch_};
  return admission;
}

bool CircuitSwitch::holds(Pass pass) const {
  const std::lock_guard lock(mutex_);
  return pass.epoch == epoch_;
}

// ## What came of it

std::optional<CircuitSwitch::Change> CircuitSwitch::answered(Pass pass, Moment now) {
  const std::lock_guard lock(mutex_);
  if (pass.epoch != epoch_) return std::nullopt;
  if (state_ == CircuitState::closed) {
    ++tally(now).answered;
    return std::nullopt;
  }
  ++epoch_;
  tallies_ = {};
  backoff_ = options_.backoff;
  return change_to(CircuitState::closed, "the probe was answered");
}

std::optional<CircuitSwitch::Change> CircuitSwitch::failed(Pass pass, Moment now) {
  const std::lock_guard lock(mutex_);
  if (pass.epoch != epoch_) return std::nullopt;
  if (state_ == CircuitState::half_open) return open(now, "the probe was not answered");
  ++tally(now).failed;
  const auto sum = within_window(now);
  const auto all = sum.answered + sum.failed;
  if (sum.failed < options_.failures) return std::nullopt;
  if (static_cast<double>(sum.failed) < options_.ratio * static_cast<double>(all)) return std::nullopt;
  const auto window = options_.window.count();
  return open(now, fmt::format("{} of {} calls within {} ms were not answered", sum.failed, all, window));
}

void CircuitSwitch::came_to_nothing(Pass pass, Moment now) {
  const std::lock_guard lock(mutex_);
  if (pass.epoch == epoch_ && state_ == CircuitState::half_open) wait_until_ = now;
}

CircuitSwitch::Change CircuitSwitch::open(Moment now, std::string why) {
  const auto wait = shortened(backoff_, options_.random);
  wait_until_ = now + wait;
  backoff_ = std::min(backoff_ * 2, options_.max_backoff);
  ++epoch_;
  auto change = change_to(CircuitState::open, std::move(why));
  change.backoff = wait;
  return change;
}

CircuitSwitch::Change CircuitSwitch::change_to(CircuitState state, std::string why) {
  state_ = state;
  return {state, Duration::zero(), ++changes_, std::move(why)};
}

// ## The window, in slices

std::int64_t CircuitSwitch::slice_of(Moment now) const {
  const auto width = std::max(options_.window / slices, Duration(1));
  return std::chrono::duration_cast<Duration>(now.time_since_epoch()) / width;
}

CircuitSwitch::Tally& CircuitSwitch::tally(Moment now) {
  const auto slice = slice_of(now);
  auto& tally = tallies_[static_cast<std::size_t>(slice % slices)];
  if (tally.slice != slice) tally = {.slice = slice};
  return tally;
}

CircuitSwitch::Tally CircuitSwitch::within_window(Moment now) const {
  Tally sum;
  for (const auto& tally : tallies_) {
    if (tally.slice <= slice_of(now) - slices) continue;
    sum.answered += tally.answered;
    sum.failed += tally.failed;
  }
  return sum;
}

// ## What is known

CircuitState CircuitSwitch::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

Duration CircuitSwitch::retry_after(Moment now) const {
  const std::lock_guard lock(mutex_);
  if (state_ == CircuitState::closed || now >= wait_until_) return Duration::zero();
  return std::chrono::ceil<Duration>(wait_until_ - now);
}

}  // namespace sancho
