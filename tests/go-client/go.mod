module plexsync.invalid/go-client

go 1.21
