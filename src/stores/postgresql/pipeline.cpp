#include "stores/postgresql/pipeline.hpp"

#include <poll.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "base/big_endian.hpp"

namespace sancho::postgresql {

// ## Parameters and results

Parameters& Parameters::number(std::int64_t value) {
  Value v{.outside = {}, .size = 8};
  put_big_endian(v.inside.data(), std::bit_cast<std::uint64_t>(value));
  values_.push_back(v);
  return *this;
}

Parameters& Parameters::boolean(bool value) {
  values_.push_back({.outside = {}, .inside = {static_cast<char>(value)}, .size = 1});
  return *this;
}

Parameters& Parameters::bytes(std::string_view value) {
  values_.push_back({.outside = value});
  return *this;
}

void Parameters::keep() {
  std::size_t size = 0;
  for (const auto& v : values_) size += v.outside.size();
  if (size == 0) return;
  const auto all = std::make_shared_for_overwrite<char[]>(size);
  char* at = all.get();
  for (auto& v : values_) {
    if (v.outside.empty()) continue;
    std::memcpy(at, v.outside.data(), v.outside.size());
    v.outside = {at, v.outside.size()};
    at += v.outside.size();
  }
  kept_ = all;
}

std::optional<std::string_view> Result::bytes(int row, int column) const {
  if (PQgetisnull(result_.get(), row, column)) return std::nullopt;
  return std::string_view(PQgetvalue(result_.get(), row, column),
                          static_cast<std::size_t>(PQgetlength(result_.get(), row, column)));
}

std::optional<std::int64_t> Result::number(int row, int column) const {
  const auto text = bytes(row, column);
  if (!text || text->size() != 8) return std::nullopt;
  return std::bit_cast<std::int64_t>(get_big_endian<std::uint64_t>(text->data()));
}

// ## Failures

namespace {
std::string first_line(std::string_view text) { return std::string(text.substr(0, text.find('\n'))); }

bool is_code(std::string_view text) {
  return text.size() == 5 &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); });
}

std::string field(const PGresult* result, int which) {
  const char* text = PQresultErrorField(result, which);
  return text ? text : "";
}

// The message proper: its details may quote a key.
Failure failure_of(const PGresult* result) {
  Failure f{.sqlstate = field(result, PG_DIAG_SQLSTATE), .what = first_line(field(result, PG_DIAG_MESSAGE_PRIMARY))};
  if (f.what.empty()) f.what = first_line(PQresultErrorMessage(result));
  return f;
}

// The session is over.
bool is_farewell(const PGresult* result) {
  const auto severity = field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  return severity == "FATAL" || severity == "PANIC";
}

// A pooler may say so, of its own connection to the server.
bool is_of_connection(const Failure& f) { return f.sqlstate.starts_with("08") || f.sqlstate == "40003"; }

const Failure lost{.sqlstate = {}, .what = "the connection was lost", .maybe_done = true};
}  // namespace

// While connecting, libpq has no result to ask. Its words have the form
// `... FATAL:  28P01: password authentication failed ...`.
Failure failure_of(const PGconn* connection) {
  Failure f{.sqlstate = {}, .what = first_line(PQerrorMessage(connection))};
  const std::string_view text(f.what);
  for (auto at = text.find(":  "); at != text.npos && f.sqlstate.empty(); at = text.find(":  ", at + 1))
    if (const auto code = text.substr(at + 3, 5); is_code(code) && text.substr(at + 8, 1) == ":") f.sqlstate = code;
  return f;
}

// ## A connection's life

Pipeline::Pipeline(Established connection, const Statements& statements)
    : connection_(std::move(connection)), statements_(statements), why_(lost) {
  PQsetnonblocking(connection_.get(), 1);
  PQsetNoticeReceiver(connection_.get(), hear, this);
}

// Notices are nobody's business, but for a farewell.
void Pipeline::hear(void* self, const PGresult* notice) {
  if (is_farewell(notice) || field(notice, PG_DIAG_SQLSTATE).starts_with("57P"))
    static_cast<Pipeline*>(self)->doomed_ = true;
}

bool Pipeline::fit() {
  auto* c = connection_.get();
  for (pollfd ready{PQsocket(c), POLLIN, 0}; sound() && poll(&ready, 1, 0) == 1; ready.revents = 0) {
    if (!PQconsumeInput(c) || PQstatus(c) != CONNECTION_OK) return false;
    if (PQisBusy(c)) return false;  // it asks nothing and hears half an answer
  }
  return sound();
}

void Pipeline::give_up(Failure why) {
  broken_ = true;
  why_ = std::move(why);
}

// ## Asking

namespace {
constexpr std::size_t most_parameters = 24;  // of any statement in sql.cpp
}

bool Pipeline::put_step(const Step& step) {
  const auto& values = step.parameters.values_;
  const auto n = values.size();
  std::array<const char*, most_parameters> texts;
  std::array<int, most_parameters> lengths, formats;
  if (n > most_parameters) return false;
  for (std::size_t i = 0; i < n; ++i) {
    const auto& v = values[i];
    const std::string_view bytes = v.size ? std::string_view(v.inside.data(), v.size) : v.outside;
    texts[i] = bytes.empty() ? "" : bytes.data();  // a null pointer would be NULL
    lengths[i] = static_cast<int>(bytes.size());
    formats[i] = 1;
  }
  const auto name = Statements::name(step.sql);
  return PQsendQueryPrepared(connection_.get(), name.c_str(), static_cast<int>(n), texts.data(), lengths.data(),
                             formats.data(), 1) == 1;
}

std::optional<Failure> Pipeline::put(std::span<const Step> steps) {
  auto* c = connection_.get();
  Asked asked;
  asked.steps = steps.size();
  bool fine = PQpipelineStatus(c) != PQ_PIPELINE_OFF || PQenterPipelineMode(c);
  // First, so that no step that fails keeps from being prepared what others
  // rely on.
  for (const auto& step : steps) {
    const auto sql = static_cast<std::size_t>(step.sql);
    if (!fine || prepared_[sql]) continue;
    fine = PQsendPrepare(c, Statements::name(step.sql).c_str(), statements_.text(step.sql).c_str(), 0, nullptr);
    prepared_.set(sql);
    asked.prepared.push_back(step.sql);
  }
  for (const auto& step : steps) fine = fine && put_step(step);
  // The mark at the end is the last to leave, so nothing can be committed
  // without it.
  if (!fine || !PQpipelineSync(c)) {
    doomed_ = true;
    return failure_of(c);
  }
  asked_.push_back(std::move(asked));
  return std::nullopt;
}

std::optional<Failure> Pipeline::put_script(const std::string& sql) {
  auto* c = connection_.get();
  if ((PQpipelineStatus(c) != PQ_PIPELINE_OFF && !PQexitPipelineMode(c)) || !PQsendQuery(c, sql.c_str())) {
    doomed_ = true;
    return failure_of(c);
  }
  asked_.emplace_back();
  return std::nullopt;
}

// After an error too there is nothing left to send: there may be a last word to read.
bool Pipeline::flush() { return PQflush(connection_.get()) <= 0; }

// ## Listening

void Pipeline::consume() { broken_ = !PQconsumeInput(connection_.get()) || broken_; }

std::optional<Reply> Pipeline::next() {
  auto* c = connection_.get();
  if (asked_.empty()) return std::nullopt;
  const bool script = asked_.front().steps == 0;
  if (PQstatus(c) != CONNECTION_OK) broken_ = true;
  for (int nothing = 0; nothing < 3 && !(broken_ && PQstatus(c) == CONNECTION_OK);) {
    if (!broken_ && PQisBusy(c)) return std::nullopt;
    PGresult* raw = PQgetResult(c);
    if (raw) {
      nothing = 0;
      if (take(raw)) return finish();
    } else if (script && PQstatus(c) == CONNECTION_OK) {
      return finish();
    } else {
      ++nothing;  // between two steps; more of it, and there is nobody
      if (script || PQstatus(c) != CONNECTION_OK) break;
    }
  }
  broken_ = true;
  return finish();
}

// Is it the last that there is to be had?
bool Pipeline::take(PGresult* raw) {
  Result result(raw);
  auto& asked = asked_.front();
  switch (PQresultStatus(raw)) {
    case PGRES_PIPELINE_SYNC:
      return true;
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
      if (++asked.seen > asked.prepared.size()) reply_.results.push_back(std::move(result));
      return false;
    case PGRES_PIPELINE_ABORTED:
      return false;
    default:
      take_error(raw);
      return broken_;
  }
}

void Pipeline::take_error(const PGresult* raw) {
  const auto& asked = asked_.front();
  auto failure = failure_of(raw);
  const bool of_connection = is_of_connection(failure), whole = asked.seen == asked.prepared.size() + asked.steps;
  // A last word after everything was answered came at the commit.
  failure.maybe_done = of_connection || (asked.steps > 0 && whole);
  if (failure.sqlstate.empty()) {  // libpq's own words, not the server's
    broken_ = true;
    failure.sqlstate = why_.sqlstate;
    failure.maybe_done = why_.maybe_done;
  }
  if (PQstatus(connection_.get()) != CONNECTION_OK) broken_ = true;
  // What stands behind a farewell was never begun.
  if (is_farewell(raw) && !of_connection) {
    doomed_ = true;
    why_ = failure;
    why_.maybe_done = false;
  }
  if (!reply_.failure) reply_.failure = std::move(failure);
}

Reply Pipeline::finish() {
  const auto& asked = asked_.front();
  if (broken_ && !reply_.failure) reply_.failure = why_;
  const bool whole = asked.steps == 0 ? !reply_.results.empty() : reply_.results.size() == asked.steps;
  if (!reply_.failure && !whole) {
    doomed_ = true;
    reply_.failure = Failure{.sqlstate = {}, .what = "the server's answer was not understood", .maybe_done = true};
  }
  if (reply_.failure)
    for (auto i = std::min(asked.seen, asked.prepared.size()); i < asked.prepared.size(); ++i)
      prepared_.reset(static_cast<std::size_t>(asked.prepared[i]));
  asked_.pop_front();
  return std::exchange(reply_, {});
}

}  // namespace sancho::postgresql
