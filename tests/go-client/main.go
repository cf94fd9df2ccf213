// A client as Stash has one: Go's own net/rpc/jsonrpc over a worker's pipes. It runs every kind of call once and says
// what went wrong.
//
//	go-client WORKER PLUGIN_DIR
package main

import (
	"fmt"
	"net"
	"os"
	"strings"
)

// client runs calls with one worker program and one plugin folder.
type client struct{ worker, pluginDir string }

func (c client) call(args map[string]any) (pluginOutput, error) {
	p, err := start(c.worker, c.pluginDir, args)
	if err != nil {
		return pluginOutput{}, err
	}
	return p.finish()
}

// fails makes a call that has to fail with this text in its error.
func (c client) fails(expected string, args map[string]any) error {
	output, err := c.call(args)
	if err != nil {
		return err
	}
	if output.Error == nil || !strings.Contains(*output.Error, expected) {
		return fmt.Errorf("expected an error with %q, got %s", expected, shown(output))
	}
	return nil
}

func (c client) deviceID() (string, error) {
	output, err := c.call(map[string]any{"method": "identity.get"})
	if err != nil {
		return "", err
	}
	identity, _ := output.Output.(map[string]any)
	id, _ := identity["device_id"].(string)
	if output.Error != nil || id == "" {
		return "", fmt.Errorf("expected an identity, got %s", shown(output))
	}
	return id, nil
}

// run: processes one after the other are the same device.
func run(c client) error {
	first, err := c.deviceID()
	if err != nil {
		return err
	}
	for range [3]struct{}{} {
		again, err := c.deviceID()
		if err != nil {
			return err
		}
		if again != first {
			return fmt.Errorf("the device changed from %s to %s", first, again)
		}
	}
	return nil
}

// reset: its effect is on disk before its reply, so the next process has the new device.
func reset(c client) error {
	before, err := c.deviceID()
	if err != nil {
		return err
	}
	params := map[string]any{"if_device_id": before}
	output, err := c.call(map[string]any{"method": "identity.reset", "params": params, "n": 9007199254740993})
	if err != nil {
		return err
	}
	identity, _ := output.Output.(map[string]any)
	after, err := c.deviceID()
	if err != nil {
		return err
	}
	if identity["previous"] != before || identity["device_id"] != after || after == before {
		return fmt.Errorf("%s became %s, told was %s", before, after, shown(output))
	}
	return c.fails("(-32002)", map[string]any{"method": "identity.reset", "params": params})
}

// failures: each is a text in the result.
func failures(c client) error {
	cases := []struct {
		expected string
		args     map[string]any
	}{
		{"(-32601)", map[string]any{"method": "no.such"}},
		{"args.method", map[string]any{"mode": "ok"}},
		{"args.method", nil},
		{"(-32602)", map[string]any{"method": "plex.request", "params": map[string]any{}}},
		{"(-32602)", map[string]any{"method": "identity.get", "params": `{"x":1}`}},
		{"(-32602)", map[string]any{"method": "identity.get", "params": `{"x":`}},
		{"(-32010)", map[string]any{"method": "plex.request", "params": map[string]any{
			"path": "/", "server": "http://127.0.0.1:1", "token": "", "retries": 0,
		}}},
	}
	for _, example := range cases {
		if err := c.fails(example.expected, example.args); err != nil {
			return fmt.Errorf("%v: %w", example.args, err)
		}
	}
	return nil
}

// large: a hook's input may hold a picture, larger than any pipe's buffer.
func large(c client) error {
	input := map[string]any{"id": "15", "cover_image": "data:image/jpeg;base64," + strings.Repeat("<&>é", 1<<19)}
	output, err := c.call(map[string]any{
		"method":      "plex.scan",
		"hookContext": map[string]any{"id": 15, "type": "Scene.Update.Post", "input": input},
	})
	if err == nil && output.Error != nil {
		err = fmt.Errorf("an edit is answered without a request, got %s", shown(output))
	}
	return err
}

// stop: it is answered while Run is not, and Run ends with an error then.
func stop(c client) error {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer silent.Close()
	p, err := start(c.worker, c.pluginDir, map[string]any{"method": "plex.request", "params": map[string]any{
		"path": "/", "server": "http://" + silent.Addr().String(), "token": "",
	}})
	if err != nil {
		return err
	}
	plex, err := silent.Accept()
	if err != nil {
		return err
	}
	defer plex.Close()
	if err := p.stop(); err != nil {
		return err
	}
	output, err := p.finish()
	if err == nil && output.Error == nil {
		err = fmt.Errorf("expected an error of the stopped Run, got %s", shown(output))
	}
	return err
}

func shown(output pluginOutput) string {
	if output.Error != nil {
		return "error " + *output.Error
	}
	return fmt.Sprintf("output %v", output.Output)
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: go-client WORKER PLUGIN_DIR")
		os.Exit(2)
	}
	c := client{os.Args[1], os.Args[2]}
	checks := []struct {
		name string
		run  func(client) error
	}{{"run", run}, {"reset", reset}, {"failures", failures}, {"large", large}, {"stop", stop}}
	failed := false
	for _, check := range checks {
		if err := check.run(c); err != nil {
			failed = true
			fmt.Printf("%s: %v\n", check.name, err)
		} else {
			fmt.Printf("%s: ok\n", check.name)
		}
	}
	if failed {
		os.Exit(1)
	}
}
