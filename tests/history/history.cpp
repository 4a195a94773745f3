#include "history.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>

namespace sancho::history {

std::int64_t now() {
  using namespace std::chrono;
  return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20)
      out += fmt::format("\\u{:04x}", c);
    else
      out += c;
  }
  return out + '"';
}

History::History(const std::string& path) : file_(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
  if (file_ < 0) throw std::runtime_error(path + " cannot be written");
}

History::~History() { close(file_); }

// In one call, which puts it behind what others have written. A process may be
// killed in the middle of a long line; so that the next one is whole, each
// begins with a new line too.
void History::note(const std::string& fields) {
  const auto line = fmt::format("\n{{{}}}\n", fields);
  if (write(file_, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    throw std::runtime_error("the history cannot be written");
}

namespace {
std::string head(const Operation& o) {
  auto text =
      fmt::format(R"("n":{},"p":{},"t":{},"op":"{}","began":{})", o.number, o.process, o.thread, o.kind, o.began);
  if (o.session != no_session) text += fmt::format(R"(,"s":{})", o.session);
  if (o.becomes) text += fmt::format(R"(,"becomes":{})", *o.becomes);
  if (o.value) text += fmt::format(R"(,"value":{})", *o.value);
  if (o.renew) text += R"(,"renew":true)";
  if (o.audit) text += R"(,"audit":true)";
  return text;
}
}  // namespace

void History::begins(const Operation& o) { note(head(o)); }

void History::is_over(const Operation& o) {
  auto text = head(o);
  if (o.loaded) text += fmt::format(R"(,"loaded":{})", o.loaded);
  if (o.acted) text += fmt::format(R"(,"acted":{})", o.acted);
  text += fmt::format(R"(,"ended":{},"outcome":"{}")", o.ended, o.outcome);
  if (o.claimed) text += R"(,"claimed":true)";
  if (o.maybe) text += R"(,"maybe":true)";
  if (!o.message.empty()) text += fmt::format(R"(,"message":{})", quoted(o.message));
  if (o.saw)
    text += fmt::format(R"(,"saw":{{"user":{},"set":[{}],"log":[{}],"count":{}}})", quoted(o.saw->user),
                        fmt::join(o.saw->set, ","), fmt::join(o.saw->log, ","), o.saw->count);
  note(text);
}

}  // namespace sancho::history
