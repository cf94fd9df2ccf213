// A worker as Go's own packages make it: net/rpc with the JSON codec on stdin and stdout.
package main

import (
	"io"
	"log"
	"net/rpc"
	"net/rpc/jsonrpc"
	"os"
)

// Echo has the one method.
type Echo struct{}

// Echo returns what it is given.
func (Echo) Echo(text string, reply *string) error {
	*reply = text
	return nil
}

type pipes struct {
	io.Reader
	io.WriteCloser
}

func main() {
	if err := rpc.Register(Echo{}); err != nil {
		log.Fatal(err)
	}
	jsonrpc.ServeConn(pipes{os.Stdin, os.Stdout})
}
