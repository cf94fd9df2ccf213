"""Which program is the worker."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Optional, Union

from ._base import NotStarted

StrPath = Union[str, "os.PathLike[str]"]
NAME = "plexsync-worker"


def find() -> StrPath:
    """The program that was installed with this module, else the one in PATH."""
    installed = _installed()
    if installed:
        return installed
    found = shutil.which(NAME)
    if found:
        return found
    raise NotStarted(
        f"`{NAME}` came not with this package, and is not in PATH",
        "install the wheel of this platform, or give `program`",
    )


def _installed() -> Optional[Path]:
    """`importlib.metadata` would read the same list, and takes longer to import than all the rest."""
    packages = Path(__file__).parent.parent
    for record in packages.glob("plexsync_worker-*.dist-info/RECORD"):
        files = (line.partition(",")[0] for line in record.read_text(encoding="utf-8").splitlines())
        listed = [packages / file for file in files if file.endswith((f"/{NAME}", f"/{NAME}.exe"))]
        # `pip install --target` puts programs elsewhere than it lists them.
        for path in [*listed, packages / "bin" / NAME]:
            if path.is_file():
                return path.resolve()
    return None
