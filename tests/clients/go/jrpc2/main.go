// creachadair/jrpc2: lines, headers, and headers that insist on a Content-Type.
//
//	jrpc2 lines|headers|strict
package main

import (
	"context"
	"os"
	"strconv"

	"github.com/creachadair/jrpc2"
	"github.com/creachadair/jrpc2/channel"

	"plexsync/clients/task"
)

var framings = map[string]channel.Framing{
	"lines":   channel.Line,
	"headers": channel.LSP,
	"strict":  channel.StrictHeader("application/vscode-jsonrpc; charset=utf-8"),
}

func main() {
	worker := task.Start()
	var seen task.Seen
	client := jrpc2.NewClient(framings[os.Args[1]](worker, worker.In), &jrpc2.ClientOptions{
		OnNotify: func(told *jrpc2.Request) {
			var progress task.Progress
			task.Must(told.UnmarshalParams(&progress))
			seen.Progress = max(seen.Progress, progress.Done) // the library hands them over in any order
		},
	})
	ctx := context.Background()
	var identity task.Identity
	task.Must(client.CallResult(ctx, "identity.get", nil, &identity))
	seen.DeviceID = identity.DeviceID
	_, err := client.Call(ctx, task.Unknown, nil)
	seen.Unknown = int(jrpc2.ErrorCode(err))

	calls := make([]jrpc2.Spec, task.Calls)
	for n := range calls {
		calls[n] = jrpc2.Spec{Method: "plex.request", Params: task.Request(n)}
	}
	answers, err := client.Batch(ctx, calls)
	task.Must(err)
	for n, response := range answers {
		var answer task.Answer
		task.Must(response.UnmarshalResult(&answer))
		seen.Count(n, answer)
	}
	listing, err := client.Call(ctx, "plex.request", task.Listing)
	task.Must(err)

	// The library cancels for itself alone; calls are numbered.
	id, err := strconv.Atoi(listing.ID())
	task.Must(err)
	slow, err := client.Batch(ctx, []jrpc2.Spec{
		{Method: "plex.request", Params: task.Slow},
		{Method: "$/cancelRequest", Params: task.Params{"id": id + 1}, Notify: true},
	})
	task.Must(err)
	seen.Cancelled = int(jrpc2.ErrorCode(slow[0].Error()))
	_ = client.Close()
	seen.Exit = worker.End()
	seen.Tell("github.com/creachadair/jrpc2")
}
