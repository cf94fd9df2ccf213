// A host in Go's standard library: net/rpc/jsonrpc speaks JSON-RPC 1.0, and so does the worker. Usage: go-host WORKER DATA_DIR
package main

import (
	"fmt"
	"io"
	"log"
	"net/rpc/jsonrpc"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Worker is one worker process: its stdin and stdout as one connection.
type Worker struct {
	io.Reader
	io.WriteCloser
	process *exec.Cmd
}

// Start starts a worker; its log goes to this program's stderr.
func Start(command string, args ...string) (*Worker, error) {
	process := exec.Command(command, args...)
	process.Stderr = os.Stderr
	stdin, err := process.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	return &Worker{stdout, stdin, process}, process.Start()
}

// Close ends the worker by the end of its stdin; one that hangs is asked, then killed.
func (worker *Worker) Close() error {
	worker.WriteCloser.Close()
	ask := time.AfterFunc(11*time.Second, func() { worker.process.Process.Signal(syscall.SIGTERM) })
	kill := time.AfterFunc(12*time.Second, func() { worker.process.Process.Kill() })
	defer ask.Stop()
	defer kill.Stop()
	return worker.process.Wait()
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == "--replay" {
		replay(os.Args[2], os.Args[3:])
		return
	}
	worker, err := Start(os.Args[1], "--data-dir", os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	client := jsonrpc.NewClient(worker) // calls may come from several goroutines
	var identity struct{ Device_ID string }
	if err := client.Call("identity.get", struct{}{}, &identity); err != nil {
		log.Fatal(err)
	}
	fmt.Println("device", identity.Device_ID)
	var answer struct {
		Status int
		Body   struct {
			MediaContainer struct{ MachineIdentifier string }
		}
	}
	if err := client.Call("plex.request", map[string]any{"path": "/identity"}, &answer); err != nil {
		log.Fatal(err)
	}
	fmt.Println("status", answer.Status, answer.Body.MediaContainer.MachineIdentifier)
	// An error is a string here, and its code stands at its end.
	fmt.Println("error", client.Call("plex.request", map[string]any{"path": "no-slash"}, &answer))
	if err := client.Close(); err != nil {
		log.Fatal(err)
	}
}
