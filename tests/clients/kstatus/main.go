// The status that Flux and Helm see: kstatus, as they use it. Reads a JSON array of objects, and writes a JSON array of
// what it says of each.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

type answer struct {
	Status  status.Status `json:"status"`
	Message string        `json:"message"`
}

func run() error {
	var objects []map[string]any
	if err := json.NewDecoder(os.Stdin).Decode(&objects); err != nil {
		return fmt.Errorf("failed to read the objects: %w", err)
	}
	answers := make([]answer, 0, len(objects))
	for _, object := range objects {
		result, err := status.Compute(&unstructured.Unstructured{Object: numbers(object).(map[string]any)})
		if err != nil {
			return fmt.Errorf("failed to compute the status of %v: %w", object["metadata"], err)
		}
		answers = append(answers, answer{result.Status, result.Message})
	}
	return json.NewEncoder(os.Stdout).Encode(answers)
}

// Whole numbers are int64 in what a Kubernetes client reads, and float64 in what encoding/json does.
func numbers(value any) any {
	switch value := value.(type) {
	case map[string]any:
		for name, field := range value {
			value[name] = numbers(field)
		}
	case []any:
		for index, item := range value {
			value[index] = numbers(item)
		}
	case float64:
		if value == float64(int64(value)) {
			return int64(value)
		}
	}
	return value
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "kstatus:", err)
		os.Exit(1)
	}
}
