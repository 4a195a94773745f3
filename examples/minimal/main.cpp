// # The smallest program
//
// Draws a session id, keeps a record under its key, and finds it again.
#include <iostream>

#include "sancho/id.hpp"
#include "sancho/stores/memory.hpp"

int main() {
  const auto store = sancho::open_memory_store();
  const auto soon = sancho::Deadline::after(std::chrono::seconds{1});

  // The id would go into a cookie; the store only ever sees its digest.
  const auto id = sancho::SessionId::draw(sancho::system_random());
  const auto key = sancho::SessionKey::of("minimal", id);

  const auto now = sancho::system_clock().now();
  sancho::Record record;
  record.created = record.accessed = now;
  record.idle = std::chrono::hours{1};
  record.ends = now + std::chrono::hours{24};
  record.payload = "hello";
  store->create(key, record, soon);

  const auto found = store->load(key, soon);
  std::cout << store->name() << " " << (found ? found->payload : "nothing") << '\n';
  return found ? 0 : 1;
}
