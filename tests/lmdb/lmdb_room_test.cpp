// No room in the map, no room on the disk: the old state stays, nothing can be
// added, and everybody can log out.
#include <sys/mount.h>

#include "../support/skip.hpp"
#include "lmdb_fixture.hpp"

namespace sancho::lmdb_test {
namespace {

class LmdbRoom : public LmdbStoreTest {
 protected:
  // Creates sessions until the store is full; how many there are.
  std::size_t fill(SessionStore& store, std::size_t size, std::string* says = nullptr) {
    for (std::size_t n = 0; n < 1000000; ++n) {
      auto r = record(std::string(size, 'x'));
      r.subject = "somebody";
      if (const auto trouble = trouble_of([&] { store.create(key_of(std::to_string(n)), r, soon()); }, says)) {
        EXPECT_EQ(*trouble, Trouble::full);
        return n;
      }
    }
    ADD_FAILURE() << "it never was full";
    return 0;
  }

  void expect_old_state_and_logouts(SessionStore& store, std::size_t size, std::size_t count) {
    auto r = record(std::string(size, 'x'));
    r.subject = "somebody";
    for (std::size_t n = 0; n < count; ++n) ASSERT_EQ(store.load(key_of(std::to_string(n)), soon()), r) << n;
    EXPECT_EQ(trouble_of([&] { store.create(key_of("one more"), record(std::string(100000, 'x')), soon()); }),
              Trouble::full);
    auto large = r;
    large.payload = std::string(30000000, 'x');
    EXPECT_EQ(trouble_of([&] { store.commit(key_of("0"), {7, 1}, large, soon()); }), Trouble::full);
    EXPECT_EQ(store.load(key_of("0"), soon()), r);
    EXPECT_NO_THROW(store.epochs()->set_epoch("somebody", 9, clock.time + 1h, soon()));
    auto end = ended(std::string(size < 100 ? size : 100, 'e'));
    end.subject = "somebody";
    for (std::size_t n = 0; n < count; ++n) {
      const auto answer =
          n % 3 == 0 ? std::holds_alternative<Removed>(store.erase(key_of(std::to_string(n)), {}, soon()))
                     : std::holds_alternative<Done>(store.commit(key_of(std::to_string(n)), {7, 1}, end, soon()));
      ASSERT_TRUE(answer) << n;
    }
    EXPECT_EQ(store.scan()->count(soon()), 0u);
  }
};

TEST_F(LmdbRoom, AFullMapKeepsTheOldStateAndLetsEverybodyLogOut) {
  for (const std::size_t size : {10u, 700u, 3000u, 20000u, 300000u}) {
    path = directory / std::to_string(size);
    {
      const auto store = open({.map_size = 8 << 20});
      std::string says;
      const auto count = fill(*store, size, &says);
      ASSERT_GT(count, 5u);
      EXPECT_TRUE(std::holds_alternative<Done>(store->touch(key_of("1"), 7, clock.time, soon())));
      EXPECT_NE(says.find("raise map_size"), says.npos) << says;
      expect_old_state_and_logouts(*store, size, count);
    }
    expect_whole();
  }
}

TEST_F(LmdbRoom, AFullMapCanBeSweptAndThenTakesAsManyAgain) {
  for (const std::size_t size : {10u, 3000u}) {
    path = directory / std::to_string(size);
    const auto store = open({.map_size = 8 << 20});
    const auto count = fill(*store, size);
    clock.advance(31min);
    std::size_t removed = 0;
    for (bool more = true; more;) {
      const auto answer = store->sweep({}, soon());
      removed += answer.removed;
      more = answer.more;
    }
    EXPECT_EQ(removed, count);
    EXPECT_GT(fill(*store, size), count * 9 / 10);
  }
}

TEST_F(LmdbRoom, AFullMapAfterANewStartLetsEverybodyLogOut) {
  std::size_t count = 0;
  { count = fill(*open({.map_size = 32 << 20}), 5000); }
  const auto store = open({.map_size = 4 << 20});
  expect_old_state_and_logouts(*store, 5000, count);
}

TEST_F(LmdbRoom, AFullFileSystemKeepsTheOldStateAndLetsEverybodyLogOut) {
  const auto small = directory / "small";
  std::filesystem::create_directory(small);
  if (mount("tmpfs", small.c_str(), "tmpfs", 0, "size=18m,mode=0700") != 0)
    SANCHO_SKIP("mounting a small file system is not permitted here");
  struct Unmount {
    ~Unmount() { umount2(at.c_str(), MNT_DETACH); }
    std::filesystem::path at;
  } const unmount{small};
  int spent = 0;
  for (const std::size_t size : {10u, 3000u, 50000u}) {
    path = small / std::to_string(size);
    std::ofstream(small / "ballast") << std::string(9 << 20, 'b');
    auto store = open();
    const auto count = fill(*store, size);
    EXPECT_GT(count, 5u);
    expect_old_state_and_logouts(*store, size, count);
    spent += !std::filesystem::exists(path / "reserve");
    clock.advance(5min);
    while (store->sweep({}, soon()).more) {
    }
    auto brief = record();
    brief.ends = clock.time;
    store->create(key_of("again"), brief, soon());
    std::filesystem::remove(small / "ballast");
    EXPECT_EQ(store->sweep({}, soon()).removed, 1u);
    EXPECT_TRUE(std::filesystem::exists(path / "reserve")) << "it comes back when there is room for it";
    store.reset();
    std::filesystem::remove_all(path);
  }
  EXPECT_GT(spent, 0) << "no logout needed the reserve, so nothing was shown";
}

TEST_F(LmdbRoom, OpeningOnAFullFileSystemIsFullAndNeverASignal) {
  const auto small = directory / "small";
  std::filesystem::create_directory(small);
  if (mount("tmpfs", small.c_str(), "tmpfs", 0, "size=1m,mode=0700") != 0)
    SANCHO_SKIP("mounting a small file system is not permitted here");
  struct Unmount {
    ~Unmount() { umount2(at.c_str(), MNT_DETACH); }
    std::filesystem::path at;
  } const unmount{small};
  std::ofstream(small / "ballast") << std::string(2 << 20, 'b');
  path = small / "sessions";
  for (std::uintmax_t left = 1 << 20; left > 0; left -= 16384) {
    std::filesystem::remove_all(path);
    std::filesystem::resize_file(small / "ballast", 0);
    std::ofstream(small / "ballast") << std::string(left, 'b');
    const auto trouble = trouble_of([&] { open()->create(key_of("a"), record(), soon()); });
    EXPECT_TRUE(!trouble || trouble == Trouble::full) << to_string(*trouble);
    EXPECT_TRUE(trouble || left < (1 << 20) - 16384) << "it cannot have found room";
    EXPECT_TRUE(!trouble || left > (1 << 19)) << "there was room";
  }
}

}  // namespace
}  // namespace sancho::lmdb_test
