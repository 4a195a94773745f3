#include "stores/memcached/connection.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace sancho::memcached {

namespace {

constexpr std::size_t longest_line = 2048;  // memcached's own
constexpr int most_statistics = 2000;       // lines; there are about 150
constexpr std::size_t item_overhead = 128;  // of an item, besides its key and value; measured: 57

// One word off the front of a line.
std::string_view word(std::string_view& line) {
  const auto end = std::min(line.find(' '), line.size());
  const auto found = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return found;
}

std::uint64_t number(std::string_view text) {
  std::uint64_t n = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || stop != text.data() + text.size() || text.empty())
    throw Broken("it answered as no memcached does");
  return n;
}

// What the server may answer instead of doing what it was told. If the line is
// none of these, it is not understood.
struct No {
  std::string_view line;  // begins so
  Trouble kind;
  const char* means;
};
constexpr No noes[] = {
    {"SERVER_ERROR object too large for cache", Trouble::refused,
     "the record is larger than the server takes; nothing was changed. Raise the server's option -I"},
    {"SERVER_ERROR out of memory", Trouble::full,
     "the server has no room; nothing was changed. Give it more memory with its option -m"},
    {"CLIENT_ERROR unauthenticated", Trouble::refused,
     "the server wants a password, which this store has not; protect the server by its network instead"},
};

}  // namespace

// ## Conversations

template <class Talk>
auto Connection::conversation(const char* doing, bool writes, Deadline deadline, Talk talk) {
  if (deadline.passed())
    throw StoreError(Trouble::unavailable, whose_ + ": " + doing + ": the deadline had passed before it began");
  sound_ = false;  // until it has come to its end
  try {
    auto answer = talk();
    sound_ = true;
    return answer;
  } catch (const Broken& e) {
    const auto* what_to_do = "; see that memcached runs there and can be reached";
    throw StoreError(Trouble::unavailable, whose_ + ": " + doing + ": " + e.what() + what_to_do, writes);
  }
}

void Connection::fill(Deadline deadline) {
  std::array<char, 16384> room;
  in_.append(room.data(), socket_.receive(room.data(), room.size(), deadline));
}

std::string_view Connection::line(Deadline deadline) {
  std::size_t end = 0;
  while ((end = in_.find("\r\n")) == in_.npos) {
    if (in_.size() > longest_line) throw Broken("it answered as no memcached does");
    fill(deadline);
  }
  line_.assign(in_, 0, end);
  in_.erase(0, end + 2);
  return line_;
}

std::string Connection::bytes(std::size_t count, Deadline deadline) {
  while (in_.size() < count + 2) fill(deadline);
  if (in_.compare(count, 2, "\r\n") != 0) throw Broken("it answered as no memcached does");
  auto found = in_.substr(0, count);
  in_.erase(0, count + 2);
  return found;
}

// ## Getting to know the server

Connection::Connection(const MemcachedServer& server, const std::string& whose, Deadline deadline) try
    : whose_(whose + ": server " + server.host + " port " + std::to_string(server.port)), socket_(server, deadline) {
  learn(deadline);
} catch (const Broken& e) {
  throw StoreError(Trouble::unavailable, whose + ": server " + server.host + " port " + std::to_string(server.port) +
                                             ": " + e.what() + "; see that memcached runs there and can be reached");
}

void Connection::learn(Deadline deadline) {
  conversation("asking for its settings", false, deadline, [&] {
    socket_.send("stats settings\r\nstats\r\n", deadline);
    int lines = 0;
    for (int answers = 0; answers < 2;) {
      const auto each = line(deadline);
      if (++lines > most_statistics) throw Broken("it answered as no memcached does");
      if (each == "END")
        ++answers;
      else
        learn_from(each);
    }
    if (item_size_max_ == 0 || time_ == 0) throw Broken("it answered as no memcached does");
    return true;
  });
  if (!has_cas_)
    throw StoreError(Trouble::refused, whose_ + ": it was started without CAS; start it without its option -C");
}

void Connection::learn_from(std::string_view each) {
  for (const auto& no : noes)
    if (each.starts_with(no.line)) throw StoreError(no.kind, whose_ + ": " + no.means);
  if (word(each) != "STAT") throw Broken("it answered as no memcached does");
  const auto name = word(each);
  if (name == "item_size_max")
    item_size_max_ = number(each);
  else if (name == "cas_enabled")
    has_cas_ = each != "no";
  else if (name == "time") {
    time_ = static_cast<std::int64_t>(std::min<std::uint64_t>(number(each), INT64_MAX / 2));
    asked_ = Deadline::Steady::now();
  }
}

std::int64_t Connection::server_now() const {
  return time_ + std::chrono::duration_cast<std::chrono::seconds>(Deadline::Steady::now() - asked_).count();
}

// ## The commands

std::optional<Connection::Item> Connection::gets(std::string_view key, Deadline deadline) {
  return conversation("reading a session", false, deadline, [&]() -> std::optional<Item> {
    socket_.send("gets " + std::string(key) + "\r\n", deadline);
    auto head = line(deadline);
    if (head == "END") return std::nullopt;
    // VALUE <key> <flags> <bytes> <cas unique>
    if (word(head) != "VALUE" || word(head) != key) throw Broken("it answered another question");
    word(head);
    const auto size = number(word(head));
    if (size > item_size_max_) throw Broken("it answered with more than it can hold");
    Item item{.value = {}, .cas = number(head)};
    item.value = bytes(size, deadline);
    if (line(deadline) != "END") throw Broken("it answered another question");
    if (item.cas == 0) throw Broken("it answered without a CAS number");
    return item;
  });
}

// What is too large is not even sent: memcached 1.6 leaves the old item alone
// where it refuses an `add` or a `cas`, other versions may not.
bool Connection::put(std::string_view key, std::string_view value, std::int64_t exptime,
                     std::optional<std::uint64_t> cas, Deadline deadline) {
  if (value.size() + key.size() + item_overhead > item_size_max_)
    throw StoreError(noes[0].kind, whose_ + ": " + noes[0].means);
  std::string command(cas ? "cas " : "add ");
  command.reserve(key.size() + value.size() + 80);
  command.append(key).append(" 0 ").append(std::to_string(exptime)).append(" ").append(std::to_string(value.size()));
  if (cas) command.append(" ").append(std::to_string(*cas));
  command.append("\r\n").append(value).append("\r\n");
  const No* refusal = nullptr;
  const bool stored = conversation("writing a session", true, deadline, [&] {
    socket_.send(command, deadline);
    const auto answer = line(deadline);
    if (answer == "STORED") return true;
    if (answer == "NOT_STORED" || answer == "EXISTS" || answer == "NOT_FOUND") return false;
    for (const auto& no : noes)
      if (answer.starts_with(no.line)) refusal = &no;
    if (!refusal) throw Broken("it answered another question");
    return false;
  });
  if (refusal) throw StoreError(refusal->kind, whose_ + ": " + refusal->means);
  return stored;
}

}  // namespace sancho::memcached
