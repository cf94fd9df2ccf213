// sourcegraph/jsonrpc2: both framings, ids that are strings, members of its own.
//
//	sourcegraph lines|headers
package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"sync/atomic"

	"github.com/sourcegraph/jsonrpc2"

	"plexsync/clients/task"
)

func code(err error) int {
	var told *jsonrpc2.Error
	if errors.As(err, &told) {
		return int(told.Code)
	}
	return 0
}

func main() {
	worker := task.Start()
	stream := jsonrpc2.NewPlainObjectStream(worker)
	if os.Args[1] == "headers" {
		stream = jsonrpc2.NewBufferedStream(worker, jsonrpc2.VSCodeObjectCodec{})
	}
	var done atomic.Int64
	progress := func(_ context.Context, _ *jsonrpc2.Conn, told *jsonrpc2.Request) (any, error) {
		var progress task.Progress
		task.Must(json.Unmarshal(*told.Params, &progress))
		done.Store(int64(progress.Done))
		return nil, nil
	}
	ctx := context.Background()
	client := jsonrpc2.NewConn(ctx, stream, jsonrpc2.HandlerWithError(progress))
	var identity task.Identity
	extra := []jsonrpc2.CallOption{jsonrpc2.StringID(), jsonrpc2.Meta("a trace"), jsonrpc2.ExtraField("more", 1)}
	task.Must(client.Call(ctx, "identity.get", nil, &identity, extra...))
	seen := task.Seen{DeviceID: identity.DeviceID}
	seen.Unknown = code(client.Call(ctx, task.Unknown, nil, nil))

	calls := make([]jsonrpc2.Waiter, task.Calls)
	for n := range calls {
		call, err := client.DispatchCall(ctx, "plex.request", task.Request(n))
		task.Must(err)
		calls[n] = call
	}
	for n, call := range calls {
		var answer task.Answer
		task.Must(call.Wait(ctx, &answer))
		seen.Count(n, answer)
	}
	task.Must(client.Call(ctx, "plex.request", task.Listing, nil))
	seen.Progress = int(done.Load())
	id := jsonrpc2.ID{Str: "slow", IsString: true}
	slow, err := client.DispatchCall(ctx, "plex.request", task.Slow, jsonrpc2.PickID(id))
	task.Must(err)
	task.Must(client.Notify(ctx, "$/cancelRequest", task.Params{"id": id}))
	seen.Cancelled = code(slow.Wait(ctx, nil))
	task.Must(client.Close())
	seen.Exit = worker.End()
	seen.Tell("github.com/sourcegraph/jsonrpc2")
}
