#include "stores/redis/reply.hpp"

#include <hiredis/hiredis.h>

#include <charconv>
#include <new>

namespace sancho::redis {

namespace {

Reply value_of(const redisReply& raw) {
  const auto text = [&] { return std::string(raw.str, raw.len); };
  switch (raw.type) {
    case REDIS_REPLY_STATUS:
      return {.kind = Reply::Kind::status, .text = text()};
    case REDIS_REPLY_ERROR:
      return {.kind = Reply::Kind::error, .text = text()};
    case REDIS_REPLY_INTEGER:
      return {.kind = Reply::Kind::number, .number = raw.integer};
    case REDIS_REPLY_STRING:
      return {.kind = Reply::Kind::text, .text = text()};
    case REDIS_REPLY_ARRAY: {
      Reply list{.kind = Reply::Kind::list};
      list.items.reserve(raw.elements);
      for (std::size_t i = 0; i < raw.elements; ++i) list.items.push_back(value_of(*raw.element[i]));
      return list;
    }
    default:
      return {};
  }
}

}  // namespace

void append_wire(std::string& out, const Command& command) {
  const auto number = [&out](char kind, std::size_t n) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, n).ptr;
    out.append(1, kind).append(digits, end).append("\r\n");
  };
  std::size_t size = 16;
  for (const auto& word : command) size += word.size() + 16;
  out.reserve(out.size() + size);
  number('*', command.size());
  for (const auto& word : command) {
    number('$', word.size());
    out.append(word).append("\r\n");
  }
}

void ReplyReader::Free::operator()(redisReader* reader) const { redisReaderFree(reader); }

ReplyReader::ReplyReader() : reader_(redisReaderCreate()) {
  if (!reader_) throw std::bad_alloc();
}

void ReplyReader::feed(std::string_view bytes) {
  if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK) throw ProtocolError(reader_->errstr);
}

std::optional<Reply> ReplyReader::next() {
  void* raw = nullptr;
  if (redisReaderGetReply(reader_.get(), &raw) != REDIS_OK) throw ProtocolError(reader_->errstr);
  if (!raw) return std::nullopt;
  const std::unique_ptr<void, void (*)(void*)> owned(raw, freeReplyObject);
  return value_of(*static_cast<redisReply*>(raw));
}

}  // namespace sancho::redis
