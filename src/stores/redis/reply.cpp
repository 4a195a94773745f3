#include "stores/redis/reply.hpp"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <charconv>
#include <new>
#include <utility>

namespace sancho::redis {

// ## What is sent

namespace {
void append_number(std::string& out, char kind, std::size_t n) {
  char line[24];
  line[0] = kind;
  auto* end = std::to_chars(line + 1, line + sizeof line - 2, n).ptr;
  *end++ = '\r', *end++ = '\n';
  out.append(line, end);
}
}  // namespace

void Wire::begin(std::size_t words, std::size_t about) {
  bytes.reserve(bytes.size() + 16 + words * 16 + about);
  append_number(bytes, '*', words);
  ++commands;
}

void Wire::word(std::string_view what) {
  append_number(bytes, '$', what.size());
  bytes.append(what).append("\r\n", 2);
}

void Wire::add(const Command& command) {
  std::size_t size = 0;
  for (const auto& each : command) size += each.size();
  begin(command.size(), size);
  for (const auto& each : command) word(each);
}

// ## What comes back
//
// hiredis' reader says what it finds, piece by piece, and each is put straight
// into its place in the reply: there is no other tree.

namespace {

// A server may say that more is to come than there will ever be.
constexpr int most_at_once = 1024;

// Where the next piece belongs: behind its brothers, or at the root. Those before
// it are complete, so nobody minds that they are moved to make room.
Reply* place_of(const redisReadTask* task) {
  if (!task->parent) {
    auto* root = static_cast<Reply*>(task->privdata);
    *root = Reply();
    return root;
  }
  return &static_cast<Reply*>(task->parent->obj)->items.emplace_back();
}

// What is thrown must not go through C. Null: there is no memory.
template <class Fill>
void* put(const redisReadTask* task, Fill fill) noexcept {
  try {
    auto* reply = place_of(task);
    fill(*reply);
    return reply;
  } catch (const std::bad_alloc&) {
    return nullptr;
  } catch (const std::length_error&) {
    return nullptr;
  }
}

void* put_text(const redisReadTask* task, char* text, std::size_t size) {
  return put(task, [&](Reply& reply) {
    reply.kind = task->type == REDIS_REPLY_ERROR    ? Reply::Kind::error
                 : task->type == REDIS_REPLY_STATUS ? Reply::Kind::status
                                                    : Reply::Kind::text;
    reply.text.assign(text, size);
  });
}

// `Size` is what hiredis counts with, an int or a size_t, as its version goes.
template <class Size>
void* put_list(const redisReadTask* task, Size size) {
  return put(task, [&](Reply& reply) {
    reply.kind = Reply::Kind::list;
    reply.items.reserve(static_cast<std::size_t>(std::clamp<Size>(size, 0, most_at_once)));
  });
}

void* put_number(const redisReadTask* task, long long number) {
  return put(task, [&](Reply& reply) {
    reply.kind = Reply::Kind::number;
    reply.number = number;
  });
}

void* put_nothing(const redisReadTask* task) {
  return put(task, [](Reply&) {});
}

void forget(void*) {}  // it is ours

redisReplyObjectFunctions builders = [] {
  redisReplyObjectFunctions all{};
  all.createString = put_text;
  all.createArray = put_list;
  all.createInteger = put_number;
  all.createNil = put_nothing;
  all.freeObject = forget;
  return all;
}();

}  // namespace

void ReplyReader::Free::operator()(redisReader* reader) const { redisReaderFree(reader); }

ReplyReader::ReplyReader() : reader_(redisReaderCreateWithFunctions(&builders)), whole_(std::make_unique<Reply>()) {
  if (!reader_) throw std::bad_alloc();
  reader_->privdata = whole_.get();
}

// ## What is there as a whole
//
// Mostly a reply is, and then it is read where it lies. Whatever is incomplete, or
// looks strange, goes to hiredis, which says so.

namespace {

class Glance {
 public:
  explicit Glance(std::string_view bytes) : rest_(bytes) {}
  std::string_view rest() const { return rest_; }

  bool reply(Reply& into, int depth = 0) {
    if (rest_.empty()) return false;
    const char kind = rest_.front();
    rest_.remove_prefix(1);
    into.number = 0;
    into.items.clear();
    switch (kind) {
      case '$': return text(into);
      case '+': return line(into, Reply::Kind::status);
      case '-': return line(into, Reply::Kind::error);
      case ':': return number(into);
      case '*': return list(into, depth);
      default: return false;
    }
  }

 private:
  static constexpr int deepest = 4;

  bool end_of_line() {
    if (!rest_.starts_with("\r\n")) return false;
    rest_.remove_prefix(2);
    return true;
  }
  bool line(Reply& into, Reply::Kind kind) {
    const auto end = rest_.find('\r');
    if (end == rest_.npos) return false;
    into.kind = kind;
    into.text.assign(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return end_of_line();
  }
  // Of few digits, so that it is certain to fit, and written as numbers are.
  bool digits(std::int64_t& n) {
    const bool minus = rest_.starts_with('-');
    std::size_t i = minus;
    std::int64_t found = 0;
    for (; i < rest_.size() && rest_[i] >= '0' && rest_[i] <= '9'; ++i) {
      if (i > 17) return false;
      found = found * 10 + (rest_[i] - '0');
    }
    const auto count = i - minus;
    if (count == 0 || (rest_[minus] == '0' && (minus || count > 1))) return false;
    n = minus ? -found : found;
    rest_.remove_prefix(i);
    return end_of_line();
  }
  bool number(Reply& into) {
    into.kind = Reply::Kind::number;
    into.text.clear();
    return digits(into.number);
  }
  bool text(Reply& into) {
    std::int64_t size = 0;
    if (!digits(size) || size < -1) return false;
    if (size < 0) return nothing(into);
    const auto length = static_cast<std::size_t>(size);
    if (length > rest_.size()) return false;
    into.kind = Reply::Kind::text;
    into.text.assign(rest_.data(), length);
    rest_.remove_prefix(length);
    return end_of_line();
  }
  bool list(Reply& into, int depth) {
    std::int64_t size = 0;
    if (!digits(size) || size < -1 || size > most_at_once || depth == deepest) return false;
    if (size < 0) return nothing(into);
    into.kind = Reply::Kind::list;
    into.text.clear();
    into.items.reserve(static_cast<std::size_t>(size));
    for (; size > 0; --size)
      if (!reply(into.items.emplace_back(), depth + 1)) return false;
    return true;
  }
  static bool nothing(Reply& into) {
    into.kind = Reply::Kind::nothing;
    into.text.clear();
    return true;
  }

  std::string_view rest_;
};

bool is_idle(const redisReader& reader) { return reader.ridx == -1 && reader.pos == reader.len; }
}  // namespace

void ReplyReader::feed(std::string_view bytes) {
  if (read_ == fresh_.size()) fresh_.clear(), read_ = 0;
  fresh_.append(bytes);
  if (!is_idle(*reader_)) give_to_hiredis();
}

bool ReplyReader::empty() const { return read_ == fresh_.size() && is_idle(*reader_); }

// Behind what it has.
void ReplyReader::give_to_hiredis() {
  const auto rest = std::string_view(fresh_).substr(std::exchange(read_, fresh_.size()));
  if (!rest.empty() && redisReaderFeed(reader_.get(), rest.data(), rest.size()) != REDIS_OK)
    throw ProtocolError(reader_->errstr);
}

bool ReplyReader::next(Reply& into) {
  if (read_ < fresh_.size()) {
    Glance glance(std::string_view(fresh_).substr(read_));
    if (glance.reply(into)) {
      read_ = fresh_.size() - glance.rest().size();
      return true;
    }
    give_to_hiredis();
  }
  if (reader_->pos == reader_->len) return false;  // hiredis would begin with nothing
  void* whole = nullptr;
  if (redisReaderGetReply(reader_.get(), &whole) != REDIS_OK) throw ProtocolError(reader_->errstr);
  if (!whole) return false;
  into = std::move(*whole_);
  return true;
}

std::optional<Reply> ReplyReader::next() {
  Reply reply;
  if (!next(reply)) return std::nullopt;
  return reply;
}

}  // namespace sancho::redis
