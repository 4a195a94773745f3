#include "sancho/adapter.hpp"

#include <algorithm>

#include "base/ascii.hpp"

namespace sancho {

RequestHead::RequestHead(const Policy& policy, std::string_view method, std::string_view peer_address, bool https)
    : id_header_(policy.transport.request_header) {
  request_.method = method;
  request_.peer_address = peer_address;
  request_.https = https;
}

void RequestHead::add(std::string_view name, std::string_view value) {
  const auto is = [&](std::string_view other) { return same_ignoring_case(name, other); };
  if (name.size() == id_header_.size() && !name.empty() && is(id_header_)) return ids_.add(value);
  // By length first: most lines of a request are none of these.
  switch (name.size()) {
    case 4:
      if (is("Host")) join(request_.host, value);
      break;
    case 6:
      if (is("Origin")) join(request_.origin, value);
      if (is("Cookie")) cookies_.add(value);
      break;
    case 7:
      if (is("Referer")) join(request_.referer, value);
      break;
    case 9:
      if (is("Forwarded")) join(request_.forwarded, value);
      break;
    case 10:
      if (is("User-Agent")) join(request_.user_agent, value);
      break;
    case 12:
      if (is("Content-Type")) join(request_.content_type, value);
      break;
    case 14:
      if (is("Sec-Fetch-Site")) join(request_.sec_fetch_site, value);
      break;
    case 15:
      if (is("X-Forwarded-For")) join(request_.x_forwarded_for, value);
      break;
    case 17:
      if (is("X-Forwarded-Proto")) join(request_.x_forwarded_proto, value);
      break;
    default: break;
  }
}

// A line that is there and empty is one like another.
void RequestHead::Lines::add(std::string_view value) {
  if (!value.data()) value = std::string_view("");
  if (!first.data()) {
    first = value;
    return;
  }
  if (all.empty()) all.push_back(first);
  all.push_back(value);
}

std::span<const std::string_view> RequestHead::Lines::get() const {
  if (!all.empty()) return all;
  return {&first, first.data() ? std::size_t{1} : 0};
}

// Likewise an element of a list.
void RequestHead::join(std::string_view& field, std::string_view value) {
  if (!field.data()) {
    field = value.data() ? value : std::string_view("");
    return;
  }
  const auto list = std::find_if(joined_.begin(), joined_.end(), [&](const auto& text) { return text.data() == field.data(); });
  auto& text = list != joined_.end() ? *list : joined_.emplace_back(field);
  text.append(", ").append(value);
  field = text;
}

const Request& RequestHead::request() {
  request_.cookies = cookies_.get();
  request_.id_lines = ids_.get();
  return request_;
}

// ## Answers

bool Answer::broke_a_rule() const {
  if (!error) return false;
  try {
    std::rethrow_exception(error);
  } catch (const UsageError&) {
    return true;
  } catch (...) {
    return false;
  }
}

int status_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const StoreError& e) {
    const bool later =
        e.kind() == Trouble::unavailable || e.kind() == Trouble::contention || e.kind() == Trouble::in_doubt;
    return later ? 503 : 500;
  } catch (...) {
    return 500;
  }
}

std::string_view plain_text(int status) {
  switch (status) {
    case 400: return "Bad Request: this request can be read in two ways.\n";
    case 403: return "Forbidden: this request does not come from one of our own pages.\n";
    case 415: return "Unsupported Media Type: this request must bring application/json.\n";
    case 503: return "Service Unavailable: please try again in a few seconds.\n";
    default: return "Internal Server Error\n";
  }
}

HeaderLines lines_of(const Answer& answer) {
  auto lines = answer.lines;
  if (!answer.failed()) return lines;
  const bool kept_nowhere = std::any_of(lines.begin(), lines.end(), [](const auto& line) { return line.name == "Cache-Control"; });
  if (!kept_nowhere) lines.push_back({"Cache-Control", "no-store"});
  if (answer.status == 503) lines.push_back({"Retry-After", "5"});
  return lines;
}

}  // namespace sancho
