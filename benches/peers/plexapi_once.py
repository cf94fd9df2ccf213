"""Connects to the server in argv, as a script that starts anew each time does."""
import sys

from plexapi.server import PlexServer

PlexServer(sys.argv[1], "token")
