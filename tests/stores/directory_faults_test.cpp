// # What a fault leaves
//
// Every verb that writes, with a fault at every call it makes to the file
// system: it happened wholly or not at all, what it says about that is true,
// and what it acknowledged outlives a power cut.
#include <gtest/gtest.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>

#include "sancho/conformance.hpp"
#include "simulated_disk.hpp"
#include "stores/directory/directory_store.hpp"

namespace sancho {
namespace {

SANCHO_STORE_CONFORMANCE(DirectoryOnSimulatedDisk, [] {
  return conformance::Venue{.open = [disk = std::make_shared<SimulatedDisk>()](const Clock& clock) { return open_directory_store("disk", clock, *disk); }};
});

Deadline soon() { return Deadline::after(std::chrono::seconds{60}); }

const SessionKey key = SessionKey::of("", *SessionId::parse(std::string(43, 'A')));

using State_ = std::optional<Record>;  // a record, or none

Record record_of(State state, Time now) {
  Record r;
  r.version = {77, 1};
  r.state = state;
  r.created = r.accessed = now;
  r.idle = std::chrono::hours{1};
  r.ends = now + std::chrono::hours{10};
  r.subject = "ada";
  r.payload.assign(300, 'p');
  return r;
}

// One writing verb: from a state to a state.
struct Deed {
  const char* name;
  State_ before, after;
  std::function<void(SessionStore&)> act;
};

std::vector<Deed> deeds(Time now) {
  const auto commit = [=](const char* name, State from, State to, std::size_t size = 200) {
    const auto before = record_of(from, now);
    auto after = before;
    after.state = to;
    ++after.version.counter;
    after.payload.assign(size, 'q');
    return Deed{name, before, after, [=](SessionStore& s) { EXPECT_TRUE(std::holds_alternative<Done>(s.commit(key, before.version, after, soon()))); }};
  };
  const auto live = record_of(State::live, now);
  auto touched = live;
  touched.accessed += std::chrono::minutes{1};
  auto idle = live;
  idle.accessed -= std::chrono::hours{2};
  return {
      {"create", {}, live, [=](SessionStore& s) { EXPECT_TRUE(std::holds_alternative<Done>(s.create(key, live, soon()))); }},
      commit("change", State::live, State::live),
      commit("log out", State::live, State::ended),
      commit("log out with a long tombstone", State::live, State::ended, 900),
      commit("activate", State::pending, State::live),
      commit("decide", State::pending, State::moved),
      commit("revert", State::ended, State::live),
      {"touch", live, touched, [=](SessionStore& s) { EXPECT_TRUE(std::holds_alternative<Done>(s.touch(key, 77, touched.accessed, soon()))); }},
      {"erase", live, {}, [=](SessionStore& s) { EXPECT_TRUE(std::holds_alternative<Removed>(s.erase(key, live.version, soon()))); }},
      {"sweep", live, {}, [=](SessionStore& s) {
         // It passes over what it cannot read, and then has done nothing.
         if (s.sweep({.accessed_before = Time::max()}, soon()).removed == 0) throw StoreError(Trouble::unavailable, "passed over");
       }},
  };
}

class DirectoryFaults : public testing::Test {
 protected:
  // A disk with the deed's first state on it, durable.
  std::unique_ptr<SimulatedDisk> disk_before(const Deed& deed) {
    auto disk = std::make_unique<SimulatedDisk>();
    const auto store = open_directory_store("disk", clock, *disk);
    if (deed.before) store->create(key, *deed.before, soon());
    return disk;
  }

  // What a new process finds.
  State_ found(SimulatedDisk& disk) { return open_directory_store("disk", clock, disk)->load(key, soon()); }

  // For every part of what was not synced that a power cut may keep: a copy of
  // the disk after it. The disk is made anew by doing the same again.
  void expect_after_power_cuts(const std::function<std::unique_ptr<SimulatedDisk>()>& again, const std::function<void(const State_&)>& expected) {
    const auto changes = again()->unsynced();
    ASSERT_LE(changes, 8u);
    for (unsigned kept = 0; kept < 1u << changes; ++kept) {
      auto disk = again();
      disk->cut_power(kept);
      SCOPED_TRACE("the power cut kept changes " + std::to_string(kept));
      State_ state;
      ASSERT_NO_THROW(state = found(*disk));
      expected(state);
    }
  }

  static bool debris(const SimulatedDisk& disk) {
    const auto names = disk.names();
    return std::any_of(names.begin(), names.end(), [](auto& name) { return name.starts_with(".tmp-"); });
  }

  ManualClock clock;
};

TEST_F(DirectoryFaults, WhatWasAcknowledgedOutlivesAPowerCut) {
  for (const auto& deed : deeds(clock.now())) {
    SCOPED_TRACE(deed.name);
    const auto done = [&] {
      auto disk = disk_before(deed);
      deed.act(*open_directory_store("disk", clock, *disk));
      return disk;
    };
    expect_after_power_cuts(done, [&](const State_& state) { EXPECT_EQ(state, deed.after); });
  }
}

// A deed with one fault, and what became of it.
enum class Fate { done, not_done, maybe_done };

TEST_F(DirectoryFaults, ACallThatFailsLeavesAllOrNothingAndTheTruthIsTold) {
  int faults = 0;
  for (const auto& deed : deeds(clock.now()))
    for (const int error : {EIO, ENOSPC, EDQUOT, EROFS, EACCES})
      for (int n = 1;; ++n) {
        SCOPED_TRACE(std::string(deed.name) + ", call " + std::to_string(n) + " fails with error " + std::to_string(error));
        bool struck = false, debris_left = false;
        auto fate = Fate::done;
        std::optional<Trouble> kind;
        const auto run = [&] {
          auto disk = disk_before(deed);
          const auto store = open_directory_store("disk", clock, *disk);
          disk->fail_call(n, error);
          try {
            deed.act(*store);
            fate = Fate::done;
          } catch (const StoreError& e) {
            fate = e.maybe_done() ? Fate::maybe_done : Fate::not_done;
            kind = e.kind();
          }
          struck = disk->struck();
          disk->heal();
          debris_left = debris(*disk);
          return disk;
        };
        auto disk = run();
        if (!struck) break;
        ++faults;
        EXPECT_FALSE(debris_left);
        const auto expected = [&](const State_& state) {
          if (fate == Fate::done) {
            EXPECT_EQ(state, deed.after);
          }
          if (fate == Fate::not_done) {
            EXPECT_EQ(state, deed.before);
          }
          if (fate == Fate::maybe_done) {
            EXPECT_TRUE(state == deed.before || state == deed.after);
          }
        };
        expected(found(*disk));
        expect_after_power_cuts(run, expected);
        if (fate == Fate::not_done && (error == ENOSPC || error == EDQUOT)) {
          EXPECT_EQ(kind, Trouble::full);
        }
        if (fate == Fate::not_done && (error == EROFS || error == EACCES)) {
          EXPECT_EQ(kind, Trouble::refused);
        }
      }
  EXPECT_GT(faults, 200);
}

TEST_F(DirectoryFaults, AProcessThatDiesLeavesAllOrNothing) {
  for (const auto& deed : deeds(clock.now()))
    for (int n = 1;; ++n) {
      SCOPED_TRACE(std::string(deed.name) + ", dead at call " + std::to_string(n));
      bool struck = false, acknowledged = false;
      const auto run = [&] {
        auto disk = disk_before(deed);
        {
          auto store = open_directory_store("disk", clock, *disk);
          disk->die_at_call(n);
          try {
            deed.act(*store);
            acknowledged = true;
          } catch (const StoreError&) {
            acknowledged = false;
          }
          struck = disk->struck();
        }
        disk->heal();
        return disk;
      };
      auto disk = run();
      if (!struck) break;
      const auto expected = [&](const State_& state) {
        EXPECT_TRUE(state == deed.after || (state == deed.before && !acknowledged));
      };
      expected(found(*disk));
      expect_after_power_cuts(run, expected);
    }
}

// ## A full disk

TEST_F(DirectoryFaults, AFullDiskLeavesTheOldStateAndNoDebris) {
  for (const auto full : {SimulatedDisk::Full::new_files, SimulatedDisk::Full::longer_files, SimulatedDisk::Full::any_bytes})
    for (const auto& deed : deeds(clock.now())) {
      if (!deed.after || deed.after->state == State::ended) continue;
      SCOPED_TRACE(deed.name);
      auto disk = disk_before(deed);
      const auto store = open_directory_store("disk", clock, *disk);
      disk->fill(full);
      try {
        deed.act(*store);
        ADD_FAILURE() << "there was room";
      } catch (const StoreError& e) {
        EXPECT_EQ(e.kind(), Trouble::full);
        EXPECT_FALSE(e.maybe_done());
      }
      EXPECT_FALSE(debris(*disk));
      EXPECT_EQ(found(*disk), deed.before);
    }
}

TEST_F(DirectoryFaults, ALogoutOnAFullDiskIsDurableWhenItReturns) {
  for (const bool room : {false, true})
    for (const auto full : {SimulatedDisk::Full::new_files, SimulatedDisk::Full::longer_files, SimulatedDisk::Full::any_bytes})
      for (const auto& deed : deeds(clock.now())) {
        if (!deed.after || deed.after->state != State::ended) continue;
        SCOPED_TRACE(deed.name);
        const bool longer = deed.after->payload.size() > deed.before->payload.size();
        const auto run = [&] {
          auto disk = disk_before(deed);
          disk->removal_makes_room = room;
          const auto store = open_directory_store("disk", clock, *disk);
          disk->fill(full);
          deed.act(*store);
          disk->heal();
          return disk;
        };
        EXPECT_FALSE(debris(*run()));
        expect_after_power_cuts(run, [&](const State_& state) {
          // The tombstone is kept where there is room for it.
          const bool kept = room || (!longer && full != SimulatedDisk::Full::any_bytes);
          EXPECT_EQ(state, kept ? deed.after : State_{});
        });
      }
}

TEST_F(DirectoryFaults, ACrashDuringALogoutOnAFullDiskLeavesTheSessionOrNone) {
  for (const bool torn : {false, true})
    for (const auto& deed : deeds(clock.now())) {
      if (!deed.after || deed.after->state != State::ended) continue;
      for (int n = 1;; ++n) {
        auto disk = disk_before(deed);
        bool struck = false;
        {
          const auto store = open_directory_store("disk", clock, *disk);
          disk->fill(SimulatedDisk::Full::new_files);
          disk->die_at_call(n);
          bool acknowledged = true;
          try {
            deed.act(*store);
          } catch (const StoreError&) {
            acknowledged = false;
          }
          struck = disk->struck();
          disk->heal();
          disk->cut_power(~0u, torn);
          try {
            const auto state = found(*disk);
            EXPECT_TRUE(!state || state == deed.after || (state == deed.before && !acknowledged)) << deed.name << ", dead at call " << n;
          } catch (const StoreError& e) {
            EXPECT_EQ(e.kind(), Trouble::corrupt);  // half a tombstone: no session
          }
        }
        if (!struck) break;
      }
    }
}

// ## What else may lie there

TEST_F(DirectoryFaults, TheFileOfALiveSessionCountsIfABackupBroughtBackBoth) {
  SimulatedDisk disk;
  const auto store = open_directory_store("disk", clock, disk);
  const auto live = record_of(State::live, clock.now());
  store->create(key, live, soon());
  disk.put("." + key.hex(), encode_record(record_of(State::pending, clock.now())));
  EXPECT_EQ(store->load(key, soon()), live);
  EXPECT_TRUE(std::holds_alternative<Removed>(store->erase(key, live.version, soon())));
  EXPECT_EQ(store->load(key, soon()), std::nullopt);
}

TEST_F(DirectoryFaults, ARecordThatComesInPiecesIsReadToItsEnd) {
  SimulatedDisk disk;
  const auto store = open_directory_store("disk", clock, disk);
  for (const std::size_t size : {300u, 4096u, 10'000u}) {
    auto record = record_of(State::live, clock.now());
    record.payload.assign(size, 'p');
    store->create(key, record, soon());
    for (const std::size_t piece : {std::size_t{1}, std::size_t{100}, std::size_t{4096}, std::string::npos}) {
      disk.read_in_pieces(piece);
      EXPECT_EQ(store->load(key, soon()), record) << size << " in pieces of " << piece;
    }
    store->erase(key, {}, soon());
  }
}

TEST_F(DirectoryFaults, OnlyAbandonedDraftsAreSweptAndNothingForeign) {
  SimulatedDisk disk;
  const auto store = open_directory_store("disk", clock, disk);
  for (const char* name : {".tmp-0123456789abcdef", ".tmp-notes", "README", ".bashrc", "0123"}) disk.put(name, "x");
  disk.set_time(1'000'000 + 10 * 60);
  store->sweep({}, soon());
  EXPECT_EQ(disk.names().size(), 5u);
  disk.set_time(1'000'000 + 10 * 60 + 1);
  disk.put(".tmp-fedcba9876543210", "a living writer's");
  store->sweep({}, soon());
  EXPECT_EQ(disk.names(), (std::set<std::string>{".tmp-fedcba9876543210", ".tmp-notes", "README", ".bashrc", "0123"}));
}

TEST_F(DirectoryFaults, ADirectoryOfAnotherUserIsRefused) {
  SimulatedDisk disk;
  disk.set_owner(4711);
  try {
    open_directory_store("disk", clock, disk);
    FAIL() << "it was accepted";
  } catch (const StoreError& e) {
    EXPECT_EQ(e.kind(), Trouble::refused);
    EXPECT_NE(std::string(e.what()).find("4711"), std::string::npos);
  }
}

TEST_F(DirectoryFaults, ADirectoryThatWasRemovedIsTroubleAndNoLogout) {
  SimulatedDisk disk;
  const auto store = open_directory_store("disk", clock, disk);
  disk.remove_directory();
  try {
    store->load(key, soon());
    FAIL() << "it was absent";
  } catch (const StoreError& e) {
    EXPECT_EQ(e.kind(), Trouble::unavailable);
  }
}

// Between the look at the names and the look at the records.
class BusyDisk final : public SimulatedDisk {
 public:
  std::function<void()> meanwhile;  // once
  int list(int directory, const std::function<void(std::string_view)>& each) override {
    listed_ = true;
    return SimulatedDisk::list(directory, each);
  }
  int lock(int directory, int operation) override {
    const int result = SimulatedDisk::lock(directory, operation);
    if (operation == LOCK_UN && std::exchange(listed_, false) && meanwhile) std::exchange(meanwhile, nullptr)();
    return result;
  }

 private:
  bool listed_ = false;
};

TEST(DirectoryStore, AUsersSessionThatMovesWhileItIsLookedForIsFound) {
  BusyDisk disk;
  ManualClock clock;
  const auto store = open_directory_store("disk", clock, disk), other = open_directory_store("disk", clock, disk);
  const auto record = record_of(State::live, clock.now());
  const auto successor = SessionKey::of("", *SessionId::parse("B" + std::string(42, 'A')));
  ASSERT_TRUE(std::holds_alternative<Done>(other->create(key, record, soon())));
  disk.meanwhile = [&] {
    EXPECT_TRUE(std::holds_alternative<Done>(other->create(successor, record, soon())));
    EXPECT_TRUE(std::holds_alternative<Removed>(other->erase(key, {}, soon())));
  };
  EXPECT_EQ(store->subjects()->find_by_subject("ada", soon()).size(), 1u);
}

}  // namespace
}  // namespace sancho
