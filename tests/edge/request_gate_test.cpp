// The gate before frameworks that tell an adapter too little.
#include "sancho/request_gate.hpp"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

namespace sancho {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using Strings = std::vector<std::string>;

const std::string get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

std::string post(const std::string& lines, const std::string& body) {
  return "POST /a HTTP/1.1\r\nHost: x\r\n" + lines + "\r\n" + body;
}

// What the framework is given of each request, with `|` where one ends.
struct Passed {
  Strings requests{};
  std::string unfinished{};
  int refusal = 0;
};

Passed pass(const std::string& bytes, std::size_t piece = std::string::npos, RequestGateLimits limits = {}) {
  RequestGate gate(limits);
  Passed passed;
  for (std::size_t begin = 0; begin < bytes.size();) {
    const auto part = std::string_view(bytes).substr(begin, piece);
    begin += part.size();
    gate.receive(part);
    for (auto given = gate.next(); !given.empty(); given = gate.next()) {
      passed.unfinished += given;
      if (gate.at_end()) passed.requests.push_back(std::exchange(passed.unfinished, {}));
    }
  }
  passed.refusal = gate.refusal();
  return passed;
}

int refusal(const std::string& bytes) { return pass(bytes).refusal; }

TEST(RequestGate, BytesAreHandedOnUnchangedOneRequestAtATime) {
  const auto sized = post("Content-Length: 5\r\n", "abcde");
  const auto chunked = post("Transfer-Encoding: Chunked\r\n", "3\r\nabc\r\n0a\r\n0123456789\r\n0\r\n\r\n");
  const auto passed = pass(get + sized + chunked + get);
  EXPECT_THAT(passed.requests, ElementsAre(get, sized, chunked, get));
  EXPECT_EQ(passed.unfinished, "");
  EXPECT_EQ(passed.refusal, 0);
}

TEST(RequestGate, InWhateverPiecesTheyCome) {
  const auto stream = get + post("Content-Length: 5\r\n", "abcde") + "\r\n" +
                      post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n") + get;
  const auto whole = pass(stream).requests;
  ASSERT_EQ(whole.size(), 4U);
  for (std::size_t piece = 1; piece < stream.size(); ++piece) EXPECT_EQ(pass(stream, piece).requests, whole) << piece;
}

TEST(RequestGate, AHeadIsGivenAsAWholeAndItsBodyAsItComes) {
  RequestGate gate;
  const auto whole = post("Content-Length: 5\r\n", "");
  gate.receive(whole.substr(0, 20));
  EXPECT_EQ(gate.next(), "");
  EXPECT_EQ(gate.head(), nullptr);
  gate.receive(whole.substr(20));
  EXPECT_EQ(gate.next(), whole);
  EXPECT_FALSE(gate.at_end());
  gate.receive("abc");
  EXPECT_EQ(gate.next(), "abc");
  EXPECT_FALSE(gate.at_end());
  gate.receive("deGET");
  EXPECT_EQ(gate.next(), "de");
  EXPECT_TRUE(gate.at_end());
  EXPECT_EQ(gate.next(), "");
  EXPECT_EQ(gate.release(), "GET");
}

TEST(RequestGate, EveryLineOfAHeadIsTold) {
  RequestGate gate;
  gate.receive("PUT /a?b=c HTTP/1.0\r\nCookie: a=1; b=%3B\r\ncookie:b=2\r\nEmpty:\r\nX:  \t y z\t \r\n\r\n");
  ASSERT_NE(gate.next(), "");
  const auto head = gate.head();
  gate.receive(get);
  ASSERT_NE(gate.next(), "");  // the first head stays as it was
  EXPECT_EQ(head->method, "PUT");
  EXPECT_EQ(head->target, "/a?b=c");
  EXPECT_THAT(head->lines,
              ElementsAre(Pair("Cookie", "a=1; b=%3B"), Pair("cookie", "b=2"), Pair("Empty", ""), Pair("X", "y z")));
  EXPECT_EQ(gate.head()->method, "GET");
}

TEST(RequestGate, WhereTwoReadersCouldDifferNothingIsHandedOn) {
  const std::string begin = "POST /a HTTP/1.1\r\nHost: x\r\n";
  const Strings wrong = {
      begin + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
      begin + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
      begin + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
      begin + "Transfer-Encoding: identity, chunked\r\n\r\n",
      begin + "Transfer-Encoding: xchunked\r\n\r\n",
      begin + "Transfer-Encoding:\r\n\r\n",
      begin + "Content-Length:\r\n\r\n",
      begin + "Content-Length: +0\r\n\r\n",
      begin + "Content-Length: -1\r\n\r\n",
      begin + "Content-Length: 0x0\r\n\r\n",
      begin + "Content-Length: 0 0\r\n\r\n",
      begin + "Content-Length: 0, 0\r\n\r\n",
      begin + "Content-Length: 0000000000000001\r\n\r\n",
      begin + "Content-Length: 18446744073709551616\r\n\r\n",
      begin + "HOST: y\r\n\r\n",
      begin + "no colon\r\n\r\n",
      begin + "Content-Length : 1\r\n\r\n",
      begin + " folded: 1\r\n\r\n",
      begin + ": no name\r\n\r\n",
      begin + "X: a\rb\r\n\r\n",
      begin + "X: a\nY: b\r\n\r\n",
      begin + std::string("X: a\0b\r\n\r\n", 10),
      begin + "X: a\x7f\r\n\r\n",
      "GET /a HTTP/1.1\nHost: x\n\n",
      "GET /a\r\n\r\n",
      "GET  HTTP/1.1\r\n\r\n",
      "GET /a b HTTP/1.1\r\n\r\n",
      "GET /a\t HTTP/1.1\r\n\r\n",
      "GET /a HTTP/2.0\r\n\r\n",
      "GET /a HTTP/1.1 \r\n\r\n",
      "G@T /a HTTP/1.1\r\n\r\n",
      "POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
      "\x16\x03\x01",
  };
  for (const auto& bytes : wrong) {
    const auto passed = pass(bytes + get);
    EXPECT_EQ(passed.refusal, 400) << bytes;
    EXPECT_THAT(passed.requests, IsEmpty()) << bytes;
    EXPECT_EQ(passed.unfinished, "") << bytes;
  }
}

TEST(RequestGate, ChunksThatCouldBeReadInTwoWaysEndTheConnection) {
  for (const auto* body :
       {"3;x=y\r\nabc\r\n0\r\n\r\n", "0x3\r\nabc\r\n0\r\n\r\n", " 3\r\nabc\r\n0\r\n\r\n", "3 \r\nabc\r\n0\r\n\r\n",
        "-1\r\nabc\r\n", "\r\nabc\r\n", "zz\r\n", "3\r\nabcd\r\n0\r\n\r\n", "3\nabc\r\n0\r\n\r\n",
        "3\r\nabc\n0\r\n\r\n", "0\r\nCookie: sid=evil\r\n\r\n", "ffffffffffffffff\r\n", "00000000000000000"}) {
    const auto passed = pass(post("Transfer-Encoding: chunked\r\n", body) + get);
    EXPECT_EQ(passed.refusal, 400) << body;
    EXPECT_THAT(passed.requests, IsEmpty()) << body;
  }
}

TEST(RequestGate, WhatFollowsARefusalIsNobodysRequest) {
  const auto passed = pass(get + "\n" + get);
  EXPECT_THAT(passed.requests, ElementsAre(get));
  EXPECT_EQ(passed.refusal, 400);
}

TEST(RequestGate, AHeadMayBeAsLongAsIsAllowedAndNoLonger) {
  EXPECT_EQ(pass(get, 1, {.max_head = get.size()}).refusal, 0);
  EXPECT_EQ(pass(get, 1, {.max_head = get.size() - 1}).refusal, 431);
  EXPECT_EQ(refusal("GET /" + std::string(100'000, 'a')), 431);
}

TEST(RequestGate, ABodyMayBeAsLongAsIsAllowedAndNoLonger) {
  const auto sized = post("Content-Length: 5\r\n", "abcde");
  const auto chunked = post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
  for (const auto& whole : {sized, chunked}) {
    EXPECT_THAT(pass(whole + whole, 1, {.max_body = 5}).requests, ElementsAre(whole, whole));
    EXPECT_EQ(pass(whole, 1, {.max_body = 4}).refusal, 413);
    EXPECT_THAT(pass(whole, 1, {.max_body = 4}).requests, IsEmpty());
  }
}

// A client that sends a body in chunks of one byte makes no work beyond its bytes.
TEST(RequestGate, ManySmallChunksCostNoMoreThanTheirBytes) {
  std::string body;
  for (int i = 0; i < 200'000; ++i) body += "1\r\na\r\n";
  const auto whole = post("Transfer-Encoding: chunked\r\n", body + "0\r\n\r\n");
  EXPECT_THAT(pass(whole).requests, ElementsAre(whole));
}

RC_GTEST_PROP(RequestGate, NothingIsAddedLeftOutOrReordered, (const std::string& noise, std::size_t seed)) {
  const auto bytes = get + post("Content-Length: 3\r\n", "abc") + noise + get;
  const auto passed = pass(bytes, 1 + seed % 7);
  std::string given;
  for (const auto& request : passed.requests) given += request;
  given += passed.unfinished;
  // An empty line between requests is all that may be missing.
  std::size_t at = 0;
  for (const char c : given) {
    while (at < bytes.size() && bytes[at] != c && (bytes[at] == '\r' || bytes[at] == '\n')) ++at;
    RC_ASSERT(at < bytes.size() && bytes[at] == c);
    ++at;
  }
}

}  // namespace
}  // namespace sancho
