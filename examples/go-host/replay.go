package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"reflect"
	"regexp"
	"strings"
	"time"
)

var name = regexp.MustCompile(`^\$[a-z_]+$`)
var quotedName = regexp.MustCompile(`"\$[a-z_]+"`)

// replay has the conversations of `protocol/transcripts` with a worker, through the host's own pipes. `/slow` of the
// Plex at PLEX_URL never answers. What the files mean: protocol/README.md.
func replay(command string, files []string) {
	for _, file := range files {
		folder, err := os.MkdirTemp("", "replay-")
		if err != nil {
			log.Fatal(err)
		}
		worker, err := Start(command, "--data-dir", folder)
		if err == nil {
			err = converse(worker, file)
			worker.process.Process.Kill()
		}
		os.RemoveAll(folder)
		if err != nil {
			log.Fatalf("%s: %v", file, err)
		}
		fmt.Println("as written:", file)
	}
}

func converse(worker *Worker, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	// A worker that owes a line and says nothing is killed: its stdout ends.
	defer time.AfterFunc(30*time.Second, func() { worker.process.Process.Kill() }).Stop()
	said, names := json.NewDecoder(worker), map[string]any{}
	for number, line := range strings.Split(string(text), "\n") {
		way, message, _ := strings.Cut(line, " ")
		switch {
		case way == "-->":
			_, err = fmt.Fprintln(worker, filledIn(message, names))
		case way == "<--":
			err = expect(message, said, names)
		case line != "" && !strings.HasPrefix(line, "#"):
			err = fmt.Errorf("neither `-->` nor `<--` nor `#`")
		}
		if err != nil {
			return fmt.Errorf("%d: %w", number+1, err)
		}
	}
	worker.WriteCloser.Close()
	var more any
	if err := said.Decode(&more); err != io.EOF {
		return fmt.Errorf("after the last line: %v (%v)", more, err)
	}
	return worker.Close()
}

func expect(message string, said *json.Decoder, names map[string]any) error {
	var expected, reply any
	if err := json.Unmarshal([]byte(message), &expected); err != nil {
		return err
	}
	if err := said.Decode(&reply); err != nil {
		return fmt.Errorf("expected %s: %w", message, err)
	}
	if !fits(expected, reply, names) {
		got, _ := json.Marshal(reply)
		return fmt.Errorf("expected %s\n got %s", message, got)
	}
	return nil
}

// fits tells whether value is what expected says; a name takes the first value that it meets.
func fits(expected, value any, names map[string]any) bool {
	switch expected := expected.(type) {
	case string:
		if name.MatchString(expected) {
			if _, known := names[expected]; !known {
				names[expected] = value
			}
			return reflect.DeepEqual(names[expected], value)
		}
	case []any:
		list, is := value.([]any)
		if !is || len(list) != len(expected) {
			return false
		}
		for at := range expected {
			if !fits(expected[at], list[at], names) {
				return false
			}
		}
		return true
	case map[string]any:
		object, is := value.(map[string]any)
		if !is || len(object) != len(expected) {
			return false
		}
		for key := range expected {
			member, is := object[key]
			if !is || !fits(expected[key], member, names) {
				return false
			}
		}
		return true
	}
	return reflect.DeepEqual(expected, value)
}

// filledIn is text with the values of its names; one that is no JSON, or names nothing, stays as it is.
func filledIn(text string, names map[string]any) string {
	if !json.Valid([]byte(text)) {
		return text
	}
	return quotedName.ReplaceAllStringFunc(text, func(quoted string) string {
		value, _ := json.Marshal(names[strings.Trim(quoted, `"`)])
		return string(value)
	})
}
