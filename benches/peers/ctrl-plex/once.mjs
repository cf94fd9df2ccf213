// Lists the sections of the server in argv, as a script that starts anew each time does.
import { PlexServer } from "@ctrl/plex";

const server = new PlexServer(process.argv[2], "token");
const { MediaContainer } = await server.query("/library/sections");
console.log(JSON.stringify(MediaContainer));
