#!/bin/sh
# Starts the program for this machine in the launcher's own place: one that stayed would keep Stash's signals to itself.
case "$(uname -s)-$(uname -m)" in
Linux-x86_64 | Linux-amd64) platform=linux-x86_64 ;;
Linux-aarch64 | Linux-arm64) platform=linux-aarch64 ;;
Linux-armv7* | Linux-armv8l) platform=linux-armv7 ;;
Linux-armv6*) platform=linux-armv6 ;;
Darwin-x86_64) platform=macos-x86_64 ;;
Darwin-arm64) platform=macos-aarch64 ;;
FreeBSD-amd64) platform=freebsd-x86_64 ;;
*) platform=$(uname -s)-$(uname -m) ;;
esac
program="${0%/*}/bin/plexsync-worker-$platform"
if [ ! -x "$program" ]; then
    printf '\001e\002this package has no program for %s\n' "$platform" >&2
    exit 1
fi
exec "$program" "$@"
