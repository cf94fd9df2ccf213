// Package task is what every client does, and what it says of it. README.md beside this folder tells it in words.
package task

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"runtime/debug"
)

// Calls is how many requests are sent at once.
const Calls = 100

// Unknown is a method that the worker does not have.
const Unknown = "no.such.method"

// Params of a call.
type Params map[string]any

// Slow is never answered by Plex.
var Slow = Params{"path": "/slow"}

// Listing comes in pages, with progress.
var Listing = Params{"path": "/library/sections/1/all", "all_pages": true, "progress_token": "news"}

// Progress is what a notification says.
type Progress struct {
	Done int `json:"done"`
}

// Identity is the result of identity.get.
type Identity struct {
	DeviceID string `json:"device_id"`
}

// Answer is the result of plex.request.
type Answer struct {
	Body struct {
		Text string `json:"text"`
	} `json:"body"`
}

// Seen is what a client says.
type Seen struct {
	Version   string `json:"version"`
	DeviceID  string `json:"device_id"`
	Unknown   int    `json:"unknown"`
	Answered  int    `json:"answered"`
	Progress  int    `json:"progress"`
	Cancelled int    `json:"cancelled"`
	Exit      int    `json:"exit"`
}

func text(n int) string { return fmt.Sprintf("%d Amélie 映画 🎬\u2028", n) }

// Request is the nth of many.
func Request(n int) Params {
	return Params{"path": fmt.Sprintf("/text/%d", n), "query": Params{"text": text(n)}}
}

// Count tells of an answer to the nth request, if it is one.
func (s *Seen) Count(n int, answer Answer) {
	if answer.Body.Text == text(n) {
		s.Answered++
	}
}

// Tell prints it, with the version of this module.
func (s *Seen) Tell(module string) {
	info, _ := debug.ReadBuildInfo()
	for _, dependency := range info.Deps {
		if dependency.Path == module {
			s.Version = dependency.Version
		}
	}
	Must(json.NewEncoder(os.Stdout).Encode(s))
}

// Must ends the client where it can't go on.
func Must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

// Worker is the program and its pipes.
type Worker struct {
	io.ReadCloser
	In      io.WriteCloser
	program *exec.Cmd
}

// Start starts it.
func Start() *Worker {
	program := exec.Command(os.Getenv("PLEXSYNC_WORKER"))
	program.Stderr = os.Stderr
	in, err := program.StdinPipe()
	Must(err)
	out, err := program.StdoutPipe()
	Must(err)
	Must(program.Start())
	return &Worker{out, in, program}
}

func (w *Worker) Write(bytes []byte) (int, error) { return w.In.Write(bytes) }

// Close closes the worker's stdin alone: what it still says can be read.
func (w *Worker) Close() error { return w.In.Close() }

// End waits for the worker's end.
func (w *Worker) End() int {
	_ = w.program.Wait()
	return w.program.ProcessState.ExitCode()
}
