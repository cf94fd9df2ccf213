#!/bin/sh
# A hook as a user would write it: takes the hook's JSON from stdin, the scene's file from Stash, and asks Plex to scan
# its folder. $1 is Plex's URL, $2 the section that holds it.
set -e
set -- "$1" "$2" $(jq -r '.args.hookContext.id, .server_connection.Port, .server_connection.SessionCookie.Value')
file=$(
    curl -sSf -b "session=$5" -H 'Content-Type: application/json' "http://127.0.0.1:$4/graphql" -d \
        '{"query":"query($id:ID!){findScene(id:$id){id files{path}}}","variables":{"id":"'"$3"'"}}' |
        jq -r '.data.findScene.files[0].path'
)
curl -sSf -G -H 'X-Plex-Token: token' --data-urlencode "path=${file%/*}" "$1/library/sections/$2/refresh"
echo '{"error":null,"output":{"outcome":"asked"}}'
