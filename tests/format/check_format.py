"""Holds the record format to what DESIGN.md says.

    check_format.py WRITE_GOLDEN DESIGN.md

  - The records that our program writes, read_record.py reads as they were meant.
  - The worked example in DESIGN.md is, byte for byte, the record of that name.
  - Each flipped byte and each truncation of it is noticed.
"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile

from read_record import Corrupt, Newer, crc32c, plain, read_record


def refused(data):
    try:
        read_record(data)
        return False
    except (Corrupt, Newer):
        return True


def example_in(design):
    """The hexadecimal digits of the block behind the words 'worked example'."""
    block = re.search(r"worked example.*?```text\n(.*?)```", design, re.S)
    assert block, "DESIGN.md has no worked example"
    digits = [line.split("|")[0].replace(" ", "") for line in block.group(1).splitlines()]
    return bytes.fromhex("".join(digits))


def main(program, design):
    assert crc32c(b"123456789") == 0xE3069283
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([program, directory], check=True)
        files = sorted(pathlib.Path(directory).glob("*.bin"))
        assert len(files) >= 8, files
        for file in files:
            read = json.loads(json.dumps(read_record(file.read_bytes()), default=plain))
            meant = json.loads(file.with_suffix(".json").read_text(encoding="utf-8"))
            assert read == meant, f"{file.name}:\nread  {read}\nmeant {meant}"
        example = pathlib.Path(directory, "example.bin").read_bytes()
    shown = example_in(pathlib.Path(design).read_text(encoding="utf-8"))
    assert shown == example, f"DESIGN.md shows\n{shown.hex()}\nand the program writes\n{example.hex()}"
    for at in range(len(example)):
        flipped = bytearray(example)
        flipped[at] ^= 1
        assert refused(bytes(flipped)), at
        assert refused(example[:at]), at
    assert not refused(example)
    print(f"{len(files)} records read as they were meant")


if __name__ == "__main__":
    main(*sys.argv[1:])
