"""storekeeper on real parts, from `kubectl apply` to a working key in a Secret. One file per theme."""
