package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/rpc"
	"net/rpc/jsonrpc"
	"os"
	"os/exec"
	"time"
)

// connection is what Stash tells about itself. It has no JSON tags there either, hence the spelling on the wire.
type connection struct {
	Scheme        string
	Host          string
	Port          int
	SessionCookie *http.Cookie
	Dir           string
	PluginDir     string
}

type pluginInput struct {
	ServerConnection connection     `json:"server_connection"`
	Args             map[string]any `json:"args"`
}

type pluginOutput struct {
	Error  *string `json:"error"`
	Output any     `json:"output"`
}

// pipes joins the worker's streams into what a codec wants.
type pipes struct {
	io.Reader
	io.Writer
	close func() error
}

func (p pipes) Close() error { return p.close() }

// plugin is one run of the worker with `interface: rpc`.
type plugin struct {
	process *exec.Cmd
	client  *rpc.Client
	output  pluginOutput
	run     *rpc.Call
	log     bytes.Buffer
	killed  bool
}

// start does what a plugin task's Start does: spawn, then one Run that is not waited for.
func start(worker, pluginDir string, args map[string]any) (*plugin, error) {
	p := &plugin{process: exec.Command(worker)}
	stdin, err := p.process.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := p.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.process.Stderr = &p.log
	if err := p.process.Start(); err != nil {
		return nil, err
	}
	p.client = rpc.NewClientWithCodec(jsonrpc.NewClientCodec(pipes{stdout, stdin, func() error {
		return p.end(stdout, stdin)
	}}))
	input := pluginInput{
		ServerConnection: connection{
			Scheme: "http", Host: "0.0.0.0", Port: 1,
			SessionCookie: &http.Cookie{Name: "session", Value: "MTc5NTM0ODI3NXw="},
			Dir:           "/root/.stash", PluginDir: pluginDir,
		},
		Args: args,
	}
	p.run = p.client.Go("RPCRunner.Run", input, &p.output, nil)
	return p, nil
}

// end closes in the order in which a plugin is ended: its output, its input, SIGINT, and SIGKILL a second later.
func (p *plugin) end(stdout, stdin io.Closer) error {
	stdout.Close()
	stdin.Close()
	p.process.Process.Signal(os.Interrupt)
	ended := make(chan error, 1)
	go func() { ended <- p.process.Wait() }()
	select {
	case <-ended:
	case <-time.After(time.Second):
		p.killed = true
		p.process.Process.Kill()
		<-ended
	}
	return nil
}

// stop asks the worker to stop. It blocks until that is answered.
func (p *plugin) stop() error {
	var stopped bool
	if err := p.client.Call("RPCRunner.Stop", nil, &stopped); err != nil {
		return err
	}
	if !stopped {
		return fmt.Errorf("Stop answered false")
	}
	return nil
}

// finish waits for Run and ends the process. Stash would take an error of the call for success; here it is one.
func (p *plugin) finish() (pluginOutput, error) {
	select {
	case <-p.run.Done:
	case <-time.After(30 * time.Second):
		p.process.Process.Kill()
		return p.output, fmt.Errorf("Run is not answered")
	}
	p.client.Close()
	switch {
	case p.run.Error != nil:
		return p.output, fmt.Errorf("Run failed, which Stash takes for success: %w; log: %s", p.run.Error, &p.log)
	case p.killed:
		return p.output, fmt.Errorf("the worker had to be killed; log: %s", &p.log)
	case p.output.Error != nil && *p.output.Error == "":
		return p.output, fmt.Errorf("an error without a text")
	}
	return p.output, nil
}
