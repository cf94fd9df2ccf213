"""What a wheel says it runs on is read from the program: nobody can say it wrong."""

import struct
import sys
import sysconfig
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))
from hatch_build import platform  # noqa: E402


def elf(machine, *kinds):
    """The head of a 64-bit program of Linux, with segments of these kinds."""
    start = b"\x7fELF\x02\x01".ljust(16, b"\0") + struct.pack("<HHIQQQI", 3, machine, 1, 0, 64, 0, 0)
    segments = b"".join(struct.pack("<I", kind).ljust(56, b"\0") for kind in kinds)
    return start + struct.pack("<HHHHHH", 64, 56, len(kinds), 0, 0, 0) + segments


def windows(machine):
    return b"MZ".ljust(0x3C, b"\0") + struct.pack("<I", 0x40) + b"PE\0\0" + struct.pack("<H", machine)


class Platform(unittest.TestCase):
    def test_a_program_tells_its_platform(self):
        for program, expected in (
            (elf(62, 1, 2), "manylinux2014_x86_64.musllinux_1_1_x86_64"),
            (elf(183, 1, 2), "manylinux2014_aarch64.musllinux_1_1_aarch64"),
            (windows(0x8664), "win_amd64"),
            (windows(0xAA64), "win_arm64"),
            (b"\xcf\xfa\xed\xfe" + struct.pack("<I", 0x01000007), "macosx_10_12_x86_64"),
            (b"\xcf\xfa\xed\xfe" + struct.pack("<I", 0x0100000C), "macosx_11_0_arm64"),
        ):
            self.assertEqual(platform(program), expected)

    def test_a_program_that_needs_a_libc_is_for_this_machine(self):
        for machine, name in ((62, "x86_64"), (183, "aarch64")):
            if sysconfig.get_platform() == f"linux-{name}":
                self.assertEqual(platform(elf(machine, 1, 3)), f"linux_{name}")
            else:
                self.assertRaises(SystemExit, platform, elf(machine, 1, 3))

    def test_what_is_no_program_is_refused(self):
        for text in (b"", b"#!/bin/sh\n", b"MZ", b"\x7fELF\x02\x01", b"\x7fELF\x01\x01", elf(8, 1), windows(1)):
            self.assertRaises(SystemExit, platform, text)


if __name__ == "__main__":
    unittest.main()
