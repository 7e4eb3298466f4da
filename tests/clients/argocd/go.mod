// The Lua that the health checks for Argo CD are tested with.
module storekeeper.dev/tests/clients/argocd

go 1.26.0

require github.com/yuin/gopher-lua v1.1.2
