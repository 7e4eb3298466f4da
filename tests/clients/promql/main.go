// Says of each expression of PromQL that stands on standard input, one a line, whether Prometheus can parse it.
package main

import (
	"bufio"
	"fmt"
	"os"

	"github.com/prometheus/prometheus/promql/parser"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	bad := false
	for lines.Scan() {
		if _, err := parser.ParseExpr(lines.Text()); err != nil {
			bad = true
			fmt.Printf("%s: %v\n", lines.Text(), err)
		}
	}
	if bad {
		os.Exit(1)
	}
}
