#include "stores/redis/scripts.hpp"

#include <openssl/sha.h>

#include <array>

namespace sancho::redis {

namespace {

// ## What all of them know
//
// The places in a record are those of value.hpp, counted from 1. Incarnations
// and counters are compared as bytes: a Lua number is a double. Times fit one.
constexpr const char* common = R"lua(
local function now()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
local function whole(n) return string.format('%.0f', n) end
local function time(v, at) return (struct.unpack('>i8', v, at)) end
local function ours(v) return #v >= 81 and string.sub(v, 17, 20) == 'SNK\1' end
local function state(v) return string.byte(v, 37) end
local function version(v) return string.sub(v, 21, 36) end
local function subject(v) return string.sub(v, 82, 81 + struct.unpack('>I4', v, 78)) end

-- The moment it is gone: idle time counts for pending (0) and live (1) ones.
local function due(v)
  local ends = time(v, 46)
  if state(v) > 1 then return ends end
  return math.min(time(v, 9) + time(v, 38), ends)
end

-- Whether the bytes are those that were written.
local function intact(v)
  local hex = string.gsub(string.sub(v, 1, 8), '.', function(c) return string.format('%02x', string.byte(c)) end)
  return hex == string.sub(redis.sha1hex(string.sub(v, 17)), 1, 16)
end

-- Redis removes a key when its time lies behind, we when it has come: hence 1.
-- `keep` is how much longer what has expired waits for a sweep.
local function gone_at(v, keep) return whole(math.max(due(v) + keep - 1, 1)) end
local function put(key, v, keep) redis.call('SET', key, v, 'PXAT', gone_at(v, keep)) end

-- The index names a record while it may open anything, with its absolute end;
-- it is gone itself with the last of these.
local function enter(index, member, v)
  if state(v) > 2 then return redis.call('ZREM', index, member) end
  local ends = time(v, 46)
  if redis.call('ZADD', index, 'CH', whole(ends), member) == 0 then return end
  local at = whole(math.max(ends, 1))
  if redis.call('PTTL', index) < 0 then redis.call('PEXPIREAT', index, at)
  else redis.call('PEXPIREAT', index, at, 'GT') end
end
)lua";

// KEYS: record. Where Redis keeps expired records for a sweep; else GET does.
constexpr const char* load_text = R"lua(
local v = redis.call('GET', KEYS[1])
if not v then return {'absent'} end
if not ours(v) then return {'strange', v} end
if now() >= due(v) then return {'absent'} end
return {'there', v}
)lua";

// KEYS: record; with a subject: index, subject's epoch, everyone's epoch, and
// the records that the index names if they were asked for.
// ARGV: value, keep; with an admission: both epochs seen, cap.
//
// A cap is counted from records, whose keys must be given: where the index is so
// long that it matters, the answer is `look`, and the caller comes again with
// the keys of all that it names.
constexpr const char* create_text = R"lua(
local v, keep = ARGV[1], tonumber(ARGV[2])
local old = redis.call('GET', KEYS[1])
if old then
  if not ours(old) then return {'strange', old} end
  if now() < due(old) then return {'taken', old} end
end
local dead = {}
if ARGV[3] then
  local zero = string.rep('\0', 8)
  if (redis.call('GET', KEYS[3]) or zero) ~= ARGV[3] or (redis.call('GET', KEYS[4]) or zero) ~= ARGV[4] then
    return {'revoked'}
  end
  local cap = tonumber(ARGV[5])
  if cap > 0 and redis.call('ZCARD', KEYS[2]) >= cap then
    local members = redis.call('ZRANGE', KEYS[2], 0, -1)
    local given = #members == #KEYS - 4
    for i, member in ipairs(members) do given = given and string.sub(KEYS[i + 4], -32) == member end
    if not given then return {'look', members} end
    local whose, moment = subject(v), now()
    local handles, count = {[string.sub(v, 62, 77)] = true}, 0
    for i, member in ipairs(members) do
      local other = redis.call('GETRANGE', KEYS[i + 4], 0, 81 + #whose)
      if other == '' then
        dead[#dead + 1] = member
      elseif ours(other) then
        if subject(other) ~= whose or state(other) > 2 or moment >= due(other) then
          dead[#dead + 1] = member
        elseif state(other) < 2 then
          local handle = string.sub(other, 62, 77)
          if not handles[handle] then handles[handle], count = true, count + 1 end
        end
      end  -- of a newer format, or damaged: not ours to judge
    end
    if count >= cap then return {'at_cap'} end
  end
end
put(KEYS[1], v, keep)
if KEYS[2] then
  for _, member in ipairs(dead) do redis.call('ZREM', KEYS[2], member) end
  redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', whole(now()))
  enter(KEYS[2], string.sub(KEYS[1], -32), v)
end
return {'done'}
)lua";

// KEYS: record; with a subject: index. ARGV: value, keep, expected version.
constexpr const char* commit_text = R"lua(
local v, keep = ARGV[1], tonumber(ARGV[2])
local old = redis.call('GET', KEYS[1])
if not old then return {'gone'} end
if not ours(old) then return {'strange', old} end
if now() >= due(old) then return {'gone'} end
if version(old) ~= ARGV[3] then return {'conflict', old} end
if subject(old) ~= subject(v) then return {'subject'} end
if time(old, 9) > time(v, 9) then v = string.sub(v, 1, 8) .. string.sub(old, 9, 16) .. string.sub(v, 17) end
put(KEYS[1], v, keep)
if KEYS[2] then enter(KEYS[2], string.sub(KEYS[1], -32), v) end
return {'done'}
)lua";

// KEYS: record. ARGV: accessed, keep, incarnation.
constexpr const char* touch_text = R"lua(
local v = redis.call('GETRANGE', KEYS[1], 0, 80)
if v == '' then return {'gone'} end
if not ours(v) then return {'strange', redis.call('GET', KEYS[1])} end
if now() >= due(v) or state(v) ~= 1 or string.sub(v, 21, 28) ~= ARGV[3] then return {'gone'} end
if time(ARGV[1], 1) > time(v, 9) then
  redis.call('SETRANGE', KEYS[1], 8, ARGV[1])
  redis.call('PEXPIREAT', KEYS[1], gone_at(string.sub(v, 1, 8) .. ARGV[1] .. string.sub(v, 17), tonumber(ARGV[2])))
end
return {'done'}
)lua";

// KEYS: record. ARGV: expected version, or empty for any.
constexpr const char* erase_text = R"lua(
local old = redis.call('GET', KEYS[1])
if not old then return {'absent'} end
if not ours(old) or not intact(old) then return {'strange', old} end
if now() >= due(old) then return {'absent'} end
if ARGV[1] ~= '' and version(old) ~= ARGV[1] then return {'conflict', old} end
redis.call('DEL', KEYS[1])
return {'removed', old}
)lua";

// KEYS: record. ARGV: a time: live ones not accessed since go too; or empty.
// One that is damaged stays. The answer has state and handle of what went.
constexpr const char* evict_text = R"lua(
local v = redis.call('GETRANGE', KEYS[1], 0, 80)
if not ours(v) then return {'kept'} end
local expired = now() >= due(v)
if not expired and not (ARGV[1] ~= '' and state(v) == 1 and time(v, 9) < time(ARGV[1], 1)) then return {'kept'} end
if not intact(redis.call('GET', KEYS[1])) then return {'kept'} end
redis.call('DEL', KEYS[1])
return {'removed', state(v), string.sub(v, 62, 77)}
)lua";

// KEYS: index, records that it names. ARGV: subject. Takes dead ones out of it.
constexpr const char* prune_text = R"lua(
local moment = now()
for i = 2, #KEYS do
  local v = redis.call('GETRANGE', KEYS[i], 0, 81 + #ARGV[1])
  if v == '' or ours(v) and (subject(v) ~= ARGV[1] or state(v) > 2 or moment >= due(v)) then
    redis.call('ZREM', KEYS[1], string.sub(KEYS[i], -32))
  end
end
return {'done'}
)lua";

// KEYS: meta. ARGV: schema, secret. Writes what is not there; tells what is.
constexpr const char* setup_text = R"lua(
redis.call('HSETNX', KEYS[1], 'schema', ARGV[1])
redis.call('HSETNX', KEYS[1], 'secret', ARGV[2])
return redis.call('HMGET', KEYS[1], 'schema', 'secret')
)lua";

// A server that is full refuses what needs room. A logout must not be refused:
// its tombstone takes the place of a session that is no smaller.
constexpr const char* plain = "#!lua\n";
constexpr const char* also_when_full = "#!lua flags=allow-oom\n";

std::string script(const char* head, const char* body) { return std::string(head) + common + body; }

}  // namespace

Script::Script(std::string lua) : text(std::move(lua)) {
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest{};
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  for (const auto byte : digest)
    for (const int shift : {4, 0}) sha.push_back("0123456789abcdef"[byte >> shift & 0xf]);
}

Scripts::Scripts()
    : load(script(plain, load_text)),
      create(script(plain, create_text)),
      commit(script(plain, commit_text)),
      commit_ended(script(also_when_full, commit_text)),
      touch(script(also_when_full, touch_text)),
      erase(script(also_when_full, erase_text)),
      evict(script(also_when_full, evict_text)),
      prune(script(also_when_full, prune_text)),
      setup(script(plain, setup_text)) {}

const Scripts& scripts() {
  static const Scripts all;
  return all;
}

}  // namespace sancho::redis
