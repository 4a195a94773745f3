#include "stores/redis/reply.hpp"

#include <hiredis/hiredis.h>

#include <algorithm>
#include <charconv>
#include <new>

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

void ReplyReader::feed(std::string_view bytes) {
  if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK) throw ProtocolError(reader_->errstr);
}

std::optional<Reply> ReplyReader::next() {
  void* whole = nullptr;
  if (redisReaderGetReply(reader_.get(), &whole) != REDIS_OK) throw ProtocolError(reader_->errstr);
  if (!whole) return std::nullopt;
  return std::move(*whole_);
}

}  // namespace sancho::redis
