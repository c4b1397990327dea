// Asks Hubble's own filters: for core/hubble/filter/upstream.spec.ts, built by scripts/build-hubble-cli.ts.
//
// Reads flows as JSON, one a line, up to an empty line; then lists of filters as JSON, {"whitelist":[],"blacklist":[]} a line.
// Answers each list with a line: 1 or 0 for each flow, or "refused: " and why.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"

	flowpb "github.com/cilium/cilium/api/v1/flow"
	hubble "github.com/cilium/cilium/pkg/hubble/api/v1"
	"github.com/cilium/cilium/pkg/hubble/filters"
	"google.golang.org/protobuf/encoding/protojson"
)

type lists struct{ Whitelist, Blacklist []json.RawMessage }

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 16<<20)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	var events []*hubble.Event
	for in.Scan() && len(in.Bytes()) > 0 {
		flow := &flowpb.Flow{}
		must(protojson.Unmarshal(in.Bytes(), flow))
		events = append(events, &hubble.Event{Timestamp: flow.GetTime(), Event: flow})
	}
	for in.Scan() {
		var asked lists
		must(json.Unmarshal(in.Bytes(), &asked))
		allowed, err := build(asked.Whitelist)
		if err == nil {
			var denied filters.FilterFuncs
			if denied, err = build(asked.Blacklist); err == nil {
				for _, event := range events {
					if filters.Apply(allowed, denied, event) {
						out.WriteByte('1')
					} else {
						out.WriteByte('0')
					}
				}
				out.WriteByte('\n')
				continue
			}
		}
		fmt.Fprintf(out, "refused: %q\n", err.Error())
	}
	must(in.Err())
}

func build(list []json.RawMessage) (filters.FilterFuncs, error) {
	var all []*flowpb.FlowFilter
	for _, text := range list {
		filter := &flowpb.FlowFilter{}
		must(protojson.Unmarshal(text, filter))
		all = append(all, filter)
	}
	return filters.BuildFilterList(context.Background(), all, filters.DefaultFilters(slog.New(slog.DiscardHandler)))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
