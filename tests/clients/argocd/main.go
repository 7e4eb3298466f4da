// The health that Argo CD sees: its order of looking, and its Lua with the libraries that it opens and the second that it
// allows. Reads `{"scripts": {"<group>_<kind>": "<Lua>"}, "objects": […]}`, and writes a JSON array of what it says of
// each object.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"
)

const (
	timeLimit     = time.Second
	hookFinalizer = "argocd.argoproj.io/hook-finalizer"
)

type question struct {
	Scripts map[string]string `json:"scripts"`
	Objects []map[string]any  `json:"objects"`
}

type answer struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

// What Argo CD knows; any other word of a script is Unknown to it.
var known = []string{"Healthy", "Progressing", "Degraded", "Suspended", "Missing"}

func run() error {
	var asked question
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		return fmt.Errorf("failed to read the question: %w", err)
	}
	answers := make([]answer, 0, len(asked.Objects))
	for _, object := range asked.Objects {
		said, err := health(asked.Scripts, object)
		if err != nil {
			return fmt.Errorf("failed to judge %v: %w", object["metadata"], err)
		}
		answers = append(answers, said)
	}
	return json.NewEncoder(os.Stdout).Encode(answers)
}

func health(scripts map[string]string, object map[string]any) (answer, error) {
	metadata, _ := object["metadata"].(map[string]any)
	if metadata["deletionTimestamp"] != nil && !isHook(metadata) {
		return answer{"Progressing", "Pending deletion"}, nil
	}
	version, _ := object["apiVersion"].(string)
	group, _, _ := strings.Cut(version, "/")
	script, found := scripts[fmt.Sprintf("%s_%s", group, object["kind"])]
	if !found {
		// An object without a script has no health: Argo CD shows it as if it were there and well.
		return answer{}, nil
	}
	return judge(script, object)
}

func isHook(metadata map[string]any) bool {
	finalizers, _ := metadata["finalizers"].([]any)
	for _, finalizer := range finalizers {
		if finalizer == hookFinalizer {
			return true
		}
	}
	return false
}

func judge(script string, object map[string]any) (answer, error) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{
		lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable,
	} {
		call := lua.P{Fn: state.NewFunction(open), NRet: 0, Protect: true}
		if err := state.CallByParam(call, lua.LString(name)); err != nil {
			return answer{}, err
		}
	}
	limited, cancel := context.WithTimeout(context.Background(), timeLimit)
	defer cancel()
	state.SetContext(limited)
	state.SetGlobal("obj", luaValue(state, object))
	if err := state.DoString(script); err != nil {
		return answer{}, err
	}
	table, isTable := state.Get(-1).(*lua.LTable)
	if !isTable {
		return answer{}, fmt.Errorf("the script must return a table, and returned %s", state.Get(-1).Type())
	}
	said := answer{text(table.RawGetString("status")), text(table.RawGetString("message"))}
	for _, word := range known {
		if said.Status == word {
			return said, nil
		}
	}
	return answer{"Unknown", "Lua returned an invalid health status"}, nil
}

func text(value lua.LValue) string {
	if value == lua.LNil {
		return ""
	}
	return value.String()
}

func luaValue(state *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case bool:
		return lua.LBool(value)
	case float64:
		return lua.LNumber(value)
	case string:
		return lua.LString(value)
	case []any:
		table := state.CreateTable(len(value), 0)
		for _, item := range value {
			table.Append(luaValue(state, item))
		}
		return table
	case map[string]any:
		table := state.CreateTable(0, len(value))
		for name, field := range value {
			table.RawSetString(name, luaValue(state, field))
		}
		return table
	default:
		return lua.LNil
	}
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "argocd:", err)
		os.Exit(1)
	}
}
