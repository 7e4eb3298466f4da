// What Flux does when it applies an object, by its own code. Reads one object as JSON, applies it to the cluster of
// KUBECONFIG, and prints what was done. `-force` is `spec.force` of a Kustomization.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/polling"
	"github.com/fluxcd/pkg/ssa"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const timeLimit = time.Minute

func run(force bool) error {
	object := &unstructured.Unstructured{}
	if err := json.NewDecoder(os.Stdin).Decode(&object.Object); err != nil {
		return fmt.Errorf("failed to read the object: %w", err)
	}
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	if err != nil {
		return fmt.Errorf("failed to read the kubeconfig: %w", err)
	}
	cluster, err := client.New(config, client.Options{})
	if err != nil {
		return fmt.Errorf("failed to make a client: %w", err)
	}
	poller := polling.NewStatusPoller(cluster, cluster.RESTMapper(), polling.Options{})
	owner := ssa.Owner{Field: "kustomize-controller", Group: "kustomize.toolkit.fluxcd.io"}
	manager := ssa.NewResourceManager(cluster, poller, owner)
	limited, cancel := context.WithTimeout(context.Background(), timeLimit)
	defer cancel()
	options := ssa.DefaultApplyOptions()
	options.Force = force
	done, err := manager.ApplyAll(limited, []*unstructured.Unstructured{object}, options)
	if err != nil {
		return err
	}
	for _, entry := range done.Entries {
		fmt.Println(entry.Action)
	}
	return nil
}

func main() {
	force := flag.Bool("force", false, "delete and create again what the API server does not let change")
	flag.Parse()
	if err := run(*force); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
