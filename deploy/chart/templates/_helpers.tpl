{{/* The data of the ConfigMap: the rules, and how long jobs have at SIGTERM. */}}
{{- define "watchkeeper.rules" -}}
{{- range $name, $value := .Values.rules }}
{{- if not (kindIs "invalid" $value) }}
{{ $name }}: {{ $value | quote }}
{{- end }}
{{- end }}
WK_WORKERS__SHUTDOWN: {{ printf "%ds" (int .Values.shutdownSeconds) | quote }}
{{- end }}

{{/* The name ends in a hash of the data, so that a change is a rollout. */}}
{{- define "watchkeeper.rulesName" -}}
watchkeeper-rules-{{ include "watchkeeper.rules" . | sha256sum | trunc 10 }}
{{- end }}

{{- define "watchkeeper.image" -}}
{{- if .Values.image.digest -}}
{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- end }}

{{- define "watchkeeper.labels" -}}
app.kubernetes.io/name: watchkeeper
{{- end }}

{{- define "watchkeeper.meta" -}}
name: watchkeeper
namespace: {{ .Release.Namespace }}
labels:
  {{- include "watchkeeper.labels" . | nindent 2 }}
{{- end }}
