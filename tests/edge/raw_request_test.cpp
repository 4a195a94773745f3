// Requests that are read from their bytes: where they end, and which are refused.
#include "sancho/raw_request.hpp"

#include <gmock/gmock.h>

#include "sancho/adapter.hpp"

namespace sancho {
namespace {

using testing::ElementsAre;
using testing::Pair;

RawHead head_of(std::string_view text) {
  RawHead head;
  head.feed(text);
  return head;
}

RawHead with(const std::string& lines) { return head_of("POST /a HTTP/1.1\r\nHost: x\r\n" + lines + "\r\n"); }

// What a body means, how many bytes it took, and whether it is whole; fed in
// pieces of so many bytes.
struct Read {
  std::string body;
  std::size_t taken = 0;
  bool whole = false, broken = false;
};
Read read(const Framing& framing, std::string_view bytes, std::size_t piece) {
  RawBody raw(framing);
  Read read;
  while (read.taken < bytes.size()) {
    const auto n = raw.feed(bytes.substr(read.taken, piece), read.body);
    read.taken += n;
    if (n == 0) break;
  }
  read.whole = raw.whole();
  read.broken = raw.broken();
  return read;
}

TEST(RawHead, EndsAtItsFirstEmptyLineHoweverItComes) {
  const std::string text = "GET / HTTP/1.1\r\nCookie: a=1\r\n\r\n", more = text + "GET /next HTTP/1.1\r\n\r\n";
  for (std::size_t piece = 1; piece <= more.size(); ++piece) {
    RawHead head;
    std::size_t taken = 0;
    while (taken < more.size())
      if (const auto n = head.feed(std::string_view(more).substr(taken, piece)))
        taken += n;
      else
        break;
    EXPECT_EQ(taken, text.size()) << piece;
    EXPECT_TRUE(head.whole() && head.clean()) << piece;
  }
  EXPECT_EQ(head_of("GET / HTTP/1.1\n\nx").feed("y"), 0U);
  for (std::size_t cut = 0; cut < text.size(); ++cut) EXPECT_FALSE(head_of(text.substr(0, cut)).whole()) << cut;
}

TEST(RawHead, LinesAreAsTheyCameAndInTheirOrder) {
  const auto head = with("Cookie: x=%3B =?UTF-8?Q?=3B_sid=3DEVIL?=\r\ncookie:b=2 \t\r\nX-Empty:\r\n");
  EXPECT_THAT(head.lines(), ElementsAre(Pair("Host", "x"), Pair("Cookie", "x=%3B =?UTF-8?Q?=3B_sid=3DEVIL?="),
                                        Pair("cookie", "b=2"), Pair("X-Empty", "")));
  Policy policy;
  RequestHead into(policy, "POST", "");
  head.add_to(into);
  EXPECT_THAT(into.request().cookies, ElementsAre("x=%3B =?UTF-8?Q?=3B_sid=3DEVIL?=", "b=2"));
}

TEST(RawHead, TellsWhatIsAskedFor) {
  const auto head = head_of("PUT /a/b?c=d%20e HTTP/1.0\r\nHost: x\r\n\r\n");
  EXPECT_EQ(head.method(), "PUT");
  EXPECT_EQ(head.target(), "/a/b?c=d%20e");
  EXPECT_FALSE(head.is_1_1());
  EXPECT_TRUE(with("").is_1_1());
}

TEST(RawHead, WhatTwoReadersMayReadDifferentlyIsNotClean) {
  EXPECT_TRUE(with("A: b\r\nC:\td\r\nUmlaut: \xc3\xbc\r\n").clean());
  for (const std::string lines : {"A: b\n", "A: b\r\n c\r\n", "A : b\r\n", "A\r\n", ": b\r\n", "A: b\rC: d\r\n",
                                  "A: \x01\r\n", "A: \xff\r\n", "A:\x7f\r\n", "A b: c\r\n", "GET / HTTP/1.1\r\n"})
    EXPECT_FALSE(with(lines).clean()) << lines;
  EXPECT_FALSE(with(std::string("A: \0\r\n", 6)).clean());
  for (const std::string line :
       {"", "GET", "GET /", "GET  HTTP/1.1", "GET / HTTP/1.1 ", "GET / x HTTP/1.1", "GET / HTTP/2.0", "G:T / HTTP/1.1",
        " GET / HTTP/1.1", "GET /\xff HTTP/1.1", "GET /\r HTTP/1.1", "GET\t/ HTTP/1.1"})
    EXPECT_FALSE(head_of(line + "\r\nHost: x\r\n\r\n").clean()) << line;
  EXPECT_FALSE(head_of("GET / HTTP/1.1\nHost: x\r\n\r\n").clean());
  EXPECT_FALSE(head_of("GET / HTTP/1.1\r\nHost: x\r\n\n").clean());
}

TEST(RawHead, IsNotReadForEver) {
  RawHead head(20);
  EXPECT_EQ(head.feed("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 20U);
  EXPECT_TRUE(head.too_long());
  EXPECT_FALSE(head.whole());
  EXPECT_EQ(head.feed("more"), 0U);
  head.clear();
  EXPECT_FALSE(head.too_long());
}

TEST(RawHead, SaysWhereTheBodyEndsOrThatNobodyCanTell) {
  EXPECT_TRUE(with("").framing().certain);
  EXPECT_EQ(with("content-length: 12\r\n").framing().length, 12U);
  EXPECT_TRUE(with("Transfer-Encoding: Chunked\r\n").framing().chunked);
  for (const std::string lines :
       {"Content-Length: 1\r\nContent-Length: 1\r\n", "Content-Length: +1\r\n", "Content-Length: 1, 1\r\n",
        "Content-Length:\r\n", "Content-Length: 0x1\r\n", "Content-Length: -1\r\n",
        "Content-Length: 99999999999999999999\r\n", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding:\r\n", "A: b\n", "Host: x\r\n", "host: y\r\n"})
    EXPECT_FALSE(with(lines).framing().certain) << lines;
  EXPECT_FALSE(head_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n").framing().certain);
  EXPECT_TRUE(head_of("POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\n").framing().certain);
}

TEST(RawBody, EndsWhereItsLengthSays) {
  for (std::size_t piece = 1; piece < 9; ++piece) {
    const auto found = read({.certain = true, .length = 5}, "hello, GET", piece);
    EXPECT_EQ(found.body, "hello");
    EXPECT_EQ(found.taken, 5U);
    EXPECT_TRUE(found.whole);
  }
  EXPECT_TRUE(read({.certain = true}, "", 1).whole);
  EXPECT_TRUE(read({}, "", 1).broken);
}

TEST(RawBody, EndsBehindTheLastChunkAndItsTrailers) {
  for (const std::string end : {"\r\n", "X: y\r\nZ: w\r\n\r\n"})
    for (std::size_t piece = 1; piece < 40; ++piece) {
      const std::string body = "3\r\nabc\r\n0A;x=y\r\n0123456789\r\n0\r\n" + end;
      const auto found = read({.certain = true, .chunked = true}, body + "GET / HTTP/1.1\r\n", piece);
      EXPECT_EQ(found.body, "abc0123456789");
      EXPECT_EQ(found.taken, body.size()) << piece;
      EXPECT_TRUE(found.whole);
    }
}

TEST(RawBody, WhatIsNoChunkBreaksIt) {
  for (const std::string body :
       {"\r\n", "zz\r\n", "3\nabc\r\n", "3 \r\nabc\r\n", "3\r\nabcd\r\n", "-1\r\n", "0x3\r\nabc\r\n", "3\r\nabc\n",
        "ffffffffffffffff\r\n", "0000000000000000003\r\nabc\r\n", "0\r\nX: y\n", "3;\x01\r\n", "3;a\n"})
    for (std::size_t piece = 1; piece < 9; ++piece)
      EXPECT_TRUE(read({.certain = true, .chunked = true}, body, piece).broken) << body;
  EXPECT_TRUE(read({.certain = true, .chunked = true}, "1;" + std::string(20'000, 'a'), 100).broken);
  EXPECT_TRUE(read({.certain = true, .chunked = true}, "0\r\n" + std::string(20'000, 'a'), 100).broken);
}

TEST(RawBody, WhatBreaksOffIsNotWhole) {
  const std::string body = "3\r\nabc\r\n0\r\n\r\n";
  for (std::size_t cut = 0; cut < body.size(); ++cut) {
    const auto found = read({.certain = true, .chunked = true}, body.substr(0, cut), 2);
    EXPECT_FALSE(found.whole || found.broken) << cut;
  }
}

}  // namespace
}  // namespace sancho
