module plexsync.example/go-host

go 1.21
