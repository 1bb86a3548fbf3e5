// Package hand is the loop that every Go hand shares: it reads commands as hand.ts describes them, calls the verb, and
// writes the answer. What a client can do and how is told by the program that serves it.
package hand

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
)

// Hello is the first line: who the client is, and what it has not.
type Hello struct {
	Client  string            `json:"client"`
	Version string            `json:"version"`
	Runtime string            `json:"runtime"`
	Cannot  map[string]string `json:"cannot"`
	// What the client calls itself, where it takes COMPAT_CLIENT_ID from its environment.
	ClientID string `json:"clientId,omitempty"`
}

// Verbs maps the name of a verb to what does it.
type Verbs map[string]func(*Ask) (any, error)

// Nothing is the answer of a verb that answers nothing.
type Nothing struct{}

// Refused is an error by Kafka's own name.
type Refused struct{ Name, Message string }

func (r Refused) Error() string { return r.Name + ": " + r.Message }

// Cannot says why the client has no such thing, where only the command's details tell.
type Cannot string

func (c Cannot) Error() string { return string(c) }

// Client is an error that the client made by itself, or whose name it hides.
func Client(format string, words ...any) error {
	return Refused{"CLIENT", fmt.Sprintf(format, words...)}
}

// Serve answers until stdin ends, then lets the program close what is open.
func Serve(hello Hello, verbs Verbs, naming func(error) any, closeAll func()) {
	hello.Runtime = runtime.Version()
	out := bufio.NewWriter(os.Stdout)
	say := func(answer any) {
		line, err := json.Marshal(answer)
		if err != nil {
			line, _ = json.Marshal(map[string]string{"error": "CLIENT", "message": err.Error()})
		}
		_, _ = out.Write(append(line, '\n'))
		_ = out.Flush()
	}
	say(map[string]any{"hello": hello})

	lines := bufio.NewReaderSize(os.Stdin, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) == 0 || err != nil {
			break
		}
		say(answer(line, verbs, naming))
	}
	closeAll()
}

func answer(line []byte, verbs Verbs, naming func(error) any) any {
	var ask Ask
	if err := json.Unmarshal(line, &ask); err != nil {
		return map[string]string{"error": "CLIENT", "message": "not understood: " + err.Error()}
	}
	verb, known := verbs[ask.Verb]
	if !known {
		return map[string]string{"cannot": "this hand has no verb " + ask.Verb}
	}
	ok, err := verb(&ask)
	var refused Refused
	var cannot Cannot
	switch {
	case err == nil:
		return map[string]any{"ok": ok}
	case errors.As(err, &cannot):
		return map[string]string{"cannot": string(cannot)}
	case errors.As(err, &refused):
		return map[string]string{"error": refused.Name, "message": refused.Message}
	}
	return map[string]any{"error": naming(err), "message": err.Error()}
}

// Version of a module as it was built in.
func Version(module string) string {
	info, ok := debug.ReadBuildInfo()
	if ok {
		for _, dep := range info.Deps {
			if dep.Path == module {
				return dep.Version
			}
		}
	}
	return "unknown"
}
