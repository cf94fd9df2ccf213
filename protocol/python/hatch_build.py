"""Puts the program that PLEXSYNC_WORKER_PROGRAM names into the wheel, which has its platform's tag.

Without that variable the wheel is the module alone, for every platform. PLEXSYNC_LICENSES names the terms of what the
program is made of, which go with it.
"""

import os
import struct
import sysconfig
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ELF_MACHINES = {62: "x86_64", 183: "aarch64"}
PE_MACHINES = {0x8664: "win_amd64", 0xAA64: "win_arm64"}
# The oldest macOS that Rust's programs run on.
MACH_MACHINES = {0x01000007: "macosx_10_12_x86_64", 0x0100000C: "macosx_11_0_arm64"}


def platform(program: bytes) -> str:
    """The platform tag of a program, by its header."""
    try:
        if program.startswith(b"\x7fELF\x02\x01"):
            return elf_platform(program)
        if program.startswith(b"MZ"):
            (header,) = struct.unpack_from("<I", program, 0x3C)
            return PE_MACHINES[struct.unpack_from("<H", program, header + 4)[0]]
        if program.startswith(b"\xcf\xfa\xed\xfe"):
            return MACH_MACHINES[struct.unpack_from("<I", program, 4)[0]]
    except (KeyError, struct.error):
        pass
    raise SystemExit("PLEXSYNC_WORKER_PROGRAM: expected a 64-bit program of Linux, Windows or macOS")


def elf_platform(program: bytes) -> str:
    machine = ELF_MACHINES[struct.unpack_from("<H", program, 18)[0]]
    (headers,) = struct.unpack_from("<Q", program, 32)
    size, count = struct.unpack_from("<HH", program, 54)
    interpreter = 3  # PT_INTERP: the program needs this system's libc.
    kinds = [struct.unpack_from("<I", program, headers + size * at)[0] for at in range(count)]
    if interpreter not in kinds:
        return f"manylinux2014_{machine}.musllinux_1_1_{machine}"
    if not sysconfig.get_platform() == f"linux-{machine}":
        raise KeyError(machine)
    # No tag of an index, which takes programs that run everywhere: for this machine alone.
    return f"linux_{machine}"


class Program(BuildHookInterface[Any]):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        program = os.environ.get("PLEXSYNC_WORKER_PROGRAM")
        if not program or version == "editable":
            return
        try:
            with open(program, "rb") as file:
                tag = platform(file.read())
        except OSError as error:
            raise SystemExit(f"PLEXSYNC_WORKER_PROGRAM: expected a program's whole path: {error}") from None
        name = "plexsync-worker.exe" if tag.startswith("win") else "plexsync-worker"
        build_data["shared_scripts"][os.path.abspath(program)] = name
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{tag}"
        if licenses := os.environ.get("PLEXSYNC_LICENSES"):
            folder = f"plexsync_worker-{self.metadata.version}.dist-info/licenses"
            build_data["force_include"][licenses] = f"{folder}/{os.path.basename(licenses)}"
