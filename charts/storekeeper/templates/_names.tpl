{{/* Names and labels. Everything that is said twice is said here. */}}

{{- define "storekeeper.name" -}}
{{- .Values.nameOverride | default .Chart.Name | trunc 40 | trimSuffix "-" }}
{{- end }}

{{/* A CronJob's name may have 52 characters; the longest suffix of ours has 12. */}}
{{- define "storekeeper.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else if contains (include "storekeeper.name" .) .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "storekeeper.name" .) | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "storekeeper.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "storekeeper.fullname" .) }}
{{- end }}

{{/* The operator as the API server knows it. */}}
{{- define "storekeeper.username" -}}
system:serviceaccount:{{ .Release.Namespace }}:{{ include "storekeeper.serviceAccount" . }}
{{- end }}

{{/* `dict "root" $ "component" "operator"` */}}
{{- define "storekeeper.selector" -}}
app.kubernetes.io/name: {{ include "storekeeper.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "storekeeper.labels" -}}
{{ include "storekeeper.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" }}
{{- with .root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "storekeeper.image" -}}
{{- with .Values.image }}
{{- $repository := required "`image.repository` must be set: build the image from the Dockerfile and push it where the cluster can pull it (docs/install.md)" .repository }}
{{- if .digest }}
{{- printf "%s@%s" $repository .digest }}
{{- else }}
{{- printf "%s:%s" $repository (.tag | default $.Chart.AppVersion) }}
{{- end }}
{{- end }}
{{- end }}

{{- define "storekeeper.server.fullname" -}}
{{ include "storekeeper.fullname" . }}-server
{{- end }}

{{- define "storekeeper.server.host" -}}
{{ include "storekeeper.server.fullname" . }}.{{ .Release.Namespace }}.svc
{{- end }}

{{- define "storekeeper.server.tlsSecret" -}}
{{- .Values.server.tls.secretName | default (printf "%s-tls" (include "storekeeper.server.fullname" .)) }}
{{- end }}

{{- define "storekeeper.server.adminSecret" -}}
{{- .Values.server.adminPassword.secretName | default (printf "%s-admin" (include "storekeeper.server.fullname" .)) }}
{{- end }}
