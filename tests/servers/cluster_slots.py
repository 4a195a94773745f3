"""Moving hash slots between the masters of a Redis Cluster, as resharding does."""

SLOTS = 16384


def _has(slot, row):
    """Whether a row of CLUSTER NODES says that its node has the slot."""
    for field in row[8:]:
        if not field.startswith("["):  # else it is about a move
            first, _, last = field.partition("-")
            if int(first) <= slot <= int(last or first):
                return True
    return False


class SlotMoves:
    """For a group of `nodes`. `move_slot` is the three others in their order; between
    them, clients meet ASK and MOVED.

        source = cluster.owner(slot)
        cluster.open_move(slot, source, target)    keys that are absent are asked for at the target
        cluster.move_keys(slot, source, target)
        cluster.close_move(slot, target)           from here on it is the target's

    Back again, before any key has gone: `cluster.give_up_move(slot)`."""

    def slot_of(self, key):
        return self._any().ask("CLUSTER", "KEYSLOT", key)

    def owner(self, slot):
        """The node that has the slot, as the owners have it; the latest if there are two."""
        owners = []
        for node in self.nodes:
            if node.runs():
                row = node.peers()[0]
                if "master" in row[2] and _has(slot, row):
                    owners.append((int(row[6]), node))
        return max(owners, key=lambda entry: entry[0])[1] if owners else None

    def open_move(self, slot, source, target):
        target.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", source.id)
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", target.id)

    def move_keys(self, slot, source, target):
        database, milliseconds = 0, 5000
        while keys := source.ask("CLUSTER", "GETKEYSINSLOT", slot, 100):
            source.ask("MIGRATE", "127.0.0.1", target.port, "", database, milliseconds, "AUTH2", "sancho", target.password, "KEYS", *keys)

    def close_move(self, slot, target):
        # The target first, or for a moment nobody has the slot.
        for node in [target, *(node for node in self.masters() if node is not target)]:
            node.ask("CLUSTER", "SETSLOT", slot, "NODE", target.id)

    def give_up_move(self, slot):
        # SETSLOT NODE with the source would not do: both still held it for on the move.
        for node in self.masters():
            node.ask("CLUSTER", "SETSLOT", slot, "STABLE")

    def move_slot(self, slot, target):
        source = self.owner(slot)
        self.open_move(slot, source, target)
        self.move_keys(slot, source, target)
        self.close_move(slot, target)

    def _any(self):
        return next(node for node in self.nodes if node.runs())
