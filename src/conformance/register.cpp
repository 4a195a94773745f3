#include <gtest/gtest.h>

#include "sancho/conformance.hpp"

namespace sancho::conformance {

namespace {
class FactTest : public testing::Test {
 public:
  FactTest(const Fact& fact, const Factory& factory) : fact_(fact), factory_(factory) {}
  void TestBody() override {
    const auto verdict = check(fact_, factory_);
    if (verdict.outcome == Outcome::broken) ADD_FAILURE() << fact_.name << ": " << verdict.why;
    if (verdict.outcome == Outcome::skipped) GTEST_SKIP() << verdict.why;
  }

 private:
  const Fact& fact_;
  Factory factory_;
};
}  // namespace

int register_store(const std::string& suite, Factory factory) {
  int registered = 0;
  for (const auto& fact : facts()) {
    const std::string name(fact.name);
    testing::RegisterTest(suite.c_str(), name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [&fact, factory]() -> testing::Test* { return new FactTest(fact, factory); });
    ++registered;
  }
  return registered;
}

}  // namespace sancho::conformance
