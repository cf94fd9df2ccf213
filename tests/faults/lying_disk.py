"""A disk that hands everything on to a folder, and tells lies about it.

lying_disk.py FOLDER MOUNTPOINT [CALL:ERRNO:done|refused ...]
"""

import errno
import os
import sys

try:
    from fusepy import FUSE, FuseOSError, Operations  # Debian's name
except ImportError:
    from fuse import FUSE, FuseOSError, Operations  # PyPI's

STAT = ("st_atime", "st_ctime", "st_gid", "st_mode", "st_mtime", "st_nlink", "st_size", "st_uid")


class LyingDisk(Operations):
    def __init__(self, folder, lies):
        self.folder = folder
        self.lies = {call: (getattr(errno, name), how) for call, name, how in lies}

    def at(self, path):
        return self.folder + path

    def tell(self, call, do):
        """Does it, or not, and says that it failed."""
        number, how = self.lies.get(call, (None, None))
        if how != "refused":
            do()
        if number:
            raise FuseOSError(number)
        return 0

    def getattr(self, path, handle=None):
        about = os.lstat(self.at(path))
        return {name: getattr(about, name) for name in STAT}

    def readdir(self, path, handle):
        return [".", "..", *os.listdir(self.at(path))]

    def readlink(self, path):
        return os.readlink(self.at(path))

    def mkdir(self, path, mode):
        return os.mkdir(self.at(path), mode)

    def rmdir(self, path):
        return os.rmdir(self.at(path))

    def unlink(self, path):
        return os.unlink(self.at(path))

    def chmod(self, path, mode):
        return self.tell("chmod", lambda: os.chmod(self.at(path), mode))

    def chown(self, path, user, group):
        return self.tell("chown", lambda: os.chown(self.at(path), user, group))

    def rename(self, old, new):
        return self.tell("rename", lambda: os.rename(self.at(old), self.at(new)))

    def link(self, new, old):
        return self.tell("link", lambda: os.link(self.at(old), self.at(new)))

    def open(self, path, flags):
        return os.open(self.at(path), flags)

    def create(self, path, mode, info=None):
        return os.open(self.at(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)

    def truncate(self, path, length, handle=None):
        os.truncate(self.at(path), length)

    def read(self, path, size, offset, handle):
        return os.pread(handle, size, offset)

    def write(self, path, data, offset, handle):
        return os.pwrite(handle, data, offset)

    def flush(self, path, handle):
        return 0

    def fsync(self, path, data_only, handle):
        return self.tell("fsync", lambda: os.fsync(handle))

    def fsyncdir(self, path, data_only, handle):
        return self.tell("fsyncdir", lambda: None)

    def release(self, path, handle):
        return os.close(handle)


if __name__ == "__main__":
    folder, mount, *lies = sys.argv[1:]
    lies = [lie.split(":") for lie in lies]
    FUSE(LyingDisk(folder, lies), mount, foreground=True, nothreads=True, default_permissions=True)
