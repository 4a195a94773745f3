"""Reads a record as DESIGN.md describes it, with nothing but Python.

    read_record.py FILE ...

prints each as JSON. Raises `Corrupt` for bytes that are not what was written
and `Newer` for what a newer version wrote.
"""

import json
import struct
import sys


class Corrupt(Exception):
    pass


class Newer(Exception):
    pass


def _crc_table():
    for n in range(256):
        for _ in range(8):
            n = n >> 1 ^ 0x82F63B78 if n & 1 else n >> 1
        yield n


CRC_TABLE = list(_crc_table())


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = CRC_TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


class Unpacker:
    """The MessagePack that records are made of."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        if self.at + n > len(self.data):
            raise Corrupt("the bytes end where a value should be")
        self.at += n
        return self.data[self.at - n:self.at]

    def number(self, code):
        return struct.unpack(">" + code, self.take(struct.calcsize(code)))[0]

    def value(self, depth=0):
        if depth > 32:
            raise Corrupt("too deep")
        lead = self.number("B")
        if lead < 0x80:
            return lead
        if lead >= 0xE0:
            return lead - 0x100
        if lead < 0x90:
            return self.map(lead & 0x0F, depth)
        if lead < 0xA0:
            return self.array(lead & 0x0F, depth)
        if lead < 0xC0:
            return self.take(lead & 0x1F).decode("utf-8")
        simple = {0xC0: None, 0xC2: False, 0xC3: True}
        if lead in simple:
            return simple[lead]
        numbers = {0xCA: "f", 0xCB: "d", 0xCC: "B", 0xCD: "H", 0xCE: "I", 0xCF: "Q", 0xD0: "b", 0xD1: "h", 0xD2: "i", 0xD3: "q"}
        if lead in numbers:
            return self.number(numbers[lead])
        lengths = {0xC4: "B", 0xC5: "H", 0xC6: "I", 0xD9: "B", 0xDA: "H", 0xDB: "I", 0xDC: "H", 0xDD: "I", 0xDE: "H", 0xDF: "I"}
        if lead not in lengths:
            raise Corrupt(f"no value begins with {lead:#x}")
        n = self.number(lengths[lead])
        if lead <= 0xC6:
            return bytes(self.take(n))
        if lead <= 0xDB:
            return self.take(n).decode("utf-8")
        return self.array(n, depth) if lead <= 0xDD else self.map(n, depth)

    def array(self, n, depth):
        return [self.value(depth + 1) for _ in range(n)]

    def map(self, n, depth):
        pairs = [(self.value(depth + 1), self.value(depth + 1)) for _ in range(n)]
        if len({k for k, _ in pairs}) != n:
            raise Corrupt("a key is there twice")
        return dict(pairs)


def body_of(data, magic, bound=b""):
    """The map behind the head of eight bytes. `bound`: what else is summed up."""
    if len(data) < 8 or data[:3] != magic:
        raise Corrupt("it does not begin as one")
    if crc32c(bound + data[8:]) != int.from_bytes(data[4:8], "big"):
        raise Corrupt("its checksum is wrong")
    if data[3] > 1:
        raise Newer(f"version {data[3]}")
    unpacker = Unpacker(data[8:])
    fields = unpacker.value()
    if data[3] != 1 or unpacker.at != len(data) - 8 or not isinstance(fields, dict):
        raise Corrupt("it is not one map")
    return fields


STATES = ["pending", "live", "moved", "ended", "note"]


def pieces(data, size):
    if len(data) % size:
        raise Corrupt("a list has a broken end")
    return [data[i:i + size] for i in range(0, len(data), size)]


def number(data):
    return int.from_bytes(data, "big")


def read_payload(data, r):
    bound = struct.pack(">BQQ", r["state"], r["inc"], r["n"]) + r["handle"].encode() + r["subject"].encode()
    f = body_of(data, b"SNP", bound)
    critical = [name for name in f if name.startswith("!")]
    if critical:
        raise Newer(str(critical))

    def hexed(name):
        value = f.pop(name, None)
        return value if value is None else value.hex()

    return {
        "attempts": [number(a) for a in pieces(f.pop("attempts", b""), 8)],
        "spent": [[s[:16].hex(), number(s[16:])] for s in pieces(f.pop("spent", b""), 24)],
        "tokens": [t.hex() for t in pieces(f.pop("tokens", b""), 16)],
        "pred": hexed("pred"), "succ": hexed("succ"), "nonce": hexed("nonce"), "csrf": hexed("csrf"),
        "used": f.pop("used", None), "auth": f.pop("auth", None), "issued": f.pop("issued"),
        "why": f.pop("why", 0), "keep": f.pop("keep", False),
        "addr": f.pop("addr", ""), "agent": f.pop("agent", ""),
        "user": f.pop("user", None), "slots": f.pop("slots", {}),
        "unknown": f,
    }


def read_record(data):
    r = body_of(data, b"SNR")
    if set(r) != {"inc", "n", "state", "created", "accessed", "idle", "ends", "subject", "handle", "payload"}:
        raise Corrupt("other fields than a record's")
    r["payload"] = read_payload(r["payload"], r)
    r["state"] = STATES[r["state"]]
    return r


def plain(value):
    """As JSON can say it."""
    return {"hex": value.hex()} if isinstance(value, bytes) else str(value)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        with open(name, "rb") as file:
            print(json.dumps(read_record(file.read()), default=plain, indent=2, ensure_ascii=False))
