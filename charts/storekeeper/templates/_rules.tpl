{{/* What the operator may do; docs/rbac.md says why. Split by where it applies when only some namespaces are looked after. */}}

{{- define "storekeeper.rules.cluster" -}}
- apiGroups: [storekeeper.dev]
  resources: [storageaccounts, tenants]
  verbs: [get, list, watch, patch]
- apiGroups: [storekeeper.dev]
  resources: [storageaccounts/status, tenants/status]
  verbs: [patch]
- apiGroups: [storekeeper.dev]
  resources: [tenants]
  verbs: [create]
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get, list, watch]
{{- end }}

{{- define "storekeeper.rules.namespaced" -}}
- apiGroups: [""]
  resources: [secrets]
  verbs: [create, get, delete]
- apiGroups: [storekeeper.dev]
  resources: [storageusers, accesskeys, buckets]
  verbs: [get, list, watch, patch]
- apiGroups: [storekeeper.dev]
  resources: [storageusers/status, accesskeys/status, buckets/status]
  verbs: [patch]
{{ include "storekeeper.rules.events" . }}
{{- end }}

{{- define "storekeeper.rules.events" -}}
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create]
{{- end }}

{{- define "storekeeper.rules.lease" -}}
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [get, create, patch]
{{- end }}

{{/* The credentials that StorageAccounts name, where the operator's namespace is not one that it looks after. */}}
{{- define "storekeeper.rules.credentials" -}}
- apiGroups: [""]
  resources: [secrets]
  verbs: [get]
{{- end }}

{{/* `dict "root" $ "kind" "Role" "name" … "namespace" … "rules" …`: a role and its binding to the operator. */}}
{{- define "storekeeper.role" -}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "storekeeper.labels" (dict "root" .root "component" "operator") | nindent 4 }}
rules:
  {{- .rules | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}Binding
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "storekeeper.labels" (dict "root" .root "component" "operator") | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ .kind }}
  name: {{ .name }}
subjects:
  - kind: ServiceAccount
    name: {{ include "storekeeper.serviceAccount" .root }}
    namespace: {{ .root.Release.Namespace }}
{{- end }}
