"""Which program is the worker."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
from pathlib import Path
from typing import Union

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


def _installed() -> Union[Path, None]:
    try:
        files = importlib.metadata.files(NAME) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    listed = [Path(str(file.locate())) for file in files if file.name in (NAME, f"{NAME}.exe")]
    # `pip install --target` lists another place than the one where it puts programs.
    listed += [Path(__file__).parent.parent / "bin" / NAME]
    return next((path for path in listed if path.is_file()), None)
