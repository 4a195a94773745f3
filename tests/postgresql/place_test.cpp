// How a URI is taken apart, and what is refused before anything is asked of a
// server.
#include "stores/postgresql/place.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "sancho/error.hpp"
#include "sancho/open_store.hpp"

namespace sancho::postgresql {
namespace {

std::string value(const Settings& settings, const std::string& keyword) {
  const auto found = std::ranges::find(settings, keyword, &Settings::value_type::first);
  return found == settings.end() ? "-" : found->second;
}

TEST(PostgresqlPlace, EachHostIsAPlaceToConnectTo) {
  const auto place =
      Place::parse("postgresql://ada:secret@one:1111,two,[::1]:3333/shop?sslmode=require&connect_timeout=3");
  ASSERT_EQ(place.hosts.size(), 3u);
  EXPECT_EQ(value(place.hosts[0], "host") + ":" + value(place.hosts[0], "port"), "one:1111");
  EXPECT_EQ(value(place.hosts[1], "host") + ":" + value(place.hosts[1], "port"), "two:-");
  EXPECT_EQ(value(place.hosts[2], "host") + ":" + value(place.hosts[2], "port"), "::1:3333");
  for (const auto& host : place.hosts) {
    EXPECT_EQ(value(host, "user") + value(host, "password") + value(host, "dbname"), "adasecretshop");
    EXPECT_EQ(value(host, "sslmode"), "require");
    EXPECT_EQ(value(host, "target_session_attrs"), "read-write");
  }
  EXPECT_EQ(place.patience, std::chrono::seconds{3});
}

TEST(PostgresqlPlace, OnePortServesAllHosts) {
  const auto place = Place::parse("postgresql:///shop?host=/run/a,/run/b&port=7777&user=ada");
  ASSERT_EQ(place.hosts.size(), 2u);
  EXPECT_EQ(value(place.hosts[1], "host") + ":" + value(place.hosts[1], "port"), "/run/b:7777");
}

TEST(PostgresqlPlace, TheNameHoldsNoSecret) {
  EXPECT_EQ(Place::parse("postgresql://ada:s3cret@one,two:5/shop?sslpassword=s3cret").name,
            "postgresql://***@one,two:5/shop");
  EXPECT_EQ(Place::parse("postgresql:///shop?password=s3cret").name, "postgresql:///shop");
}

TEST(PostgresqlPlace, WhatCannotBeIsRefusedAndNoSecretIsTold) {
  for (const char* uri :
       {"postgresql://ada:s3cret@one:port/shop", "postgresql://ada:s3cret@one/shop?colour=red",
        "postgresql://ada:s3cret@one/shop?target_session_attrs=standby",
        "postgresql://ada:s3cret@one/shop?connect_timeout=soon", "postgresql://ada:s3cret%zz@one/shop",
        "postgresql://ada:s3cret@one/shop?pool=0", "postgresql://ada:s3cret@one/shop?namespace=A",
        "postgresql://ada:s3cret@one/shop?synchronous_commit=maybe", "postgresql://ada:s3cret@one/shop?standby=none"}) {
    try {
      open_store(uri);
      ADD_FAILURE() << uri << " was taken";
    } catch (const ConfigError& e) {
      EXPECT_EQ(std::string(e.what()).find("s3cret"), std::string::npos) << e.what();
    } catch (const StoreError& e) {
      // A port is libpq's affair, and it looks at it when it connects.
      EXPECT_EQ(std::string(e.what()).find("s3cret"), std::string::npos) << e.what();
      EXPECT_NE(std::string(uri).find(":port/"), std::string::npos) << uri << ": " << e.what();
    }
  }
}

}  // namespace
}  // namespace sancho::postgresql
