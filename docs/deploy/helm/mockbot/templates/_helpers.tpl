{{- define "mockbot.name" -}}
{{- if contains "mockbot" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}{{ printf "%s-mockbot" .Release.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "mockbot.release" -}}
app.kubernetes.io/name: mockbot
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* (list . "component") */}}
{{- define "mockbot.labels" -}}
{{ include "mockbot.release" (index . 0) }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end }}

{{- define "mockbot.metadata" -}}
name: {{ include "mockbot.name" (index . 0) }}-{{ index . 1 }}
labels:
  {{- include "mockbot.labels" . | nindent 2 }}
  app.kubernetes.io/managed-by: {{ (index . 0).Release.Service }}
{{- end }}

{{- define "mockbot.podMetadata" -}}
labels:
  {{- include "mockbot.labels" . | nindent 2 }}
annotations: # a run that is moved is no run: autoscalers leave these pods where they are
  cluster-autoscaler.kubernetes.io/safe-to-evict: "false"
  karpenter.sh/do-not-disrupt: "true"
{{- end }}

{{- define "mockbot.image" -}}
image: {{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
{{- end }}

{{- /* Of every pod; 1000 is the user of the Dockerfile. */}}
{{- define "mockbot.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false # Locust reads LOCUST_*, which a release named "locust" would set
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  fsGroup: 1000
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.imagePullSecrets }}
imagePullSecrets: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector: {{ toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations: {{ toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "mockbot.locked" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- /* (list . "host:port" ...): a container that ends when they accept connections */}}
{{- define "mockbot.waitFor" -}}
- name: wait
  {{- include "mockbot.image" (index . 0) | nindent 2 }}
  command:
    - python
    - -c
    - |
      {{- (index . 0).Files.Get "files/wait.py" | nindent 6 }}
    {{- range rest . }}
    - {{ . }}
    {{- end }}
  {{- include "mockbot.locked" (index . 0) | nindent 2 }}
  resources: {requests: {cpu: 10m, memory: 32Mi}, limits: {memory: 64Mi}}
{{- end }}

{{- /* A Job that fails says with which exit code, and never tries again: a second try would hide that the first failed. */}}
{{- define "mockbot.once" -}}
backoffLimit: 0
activeDeadlineSeconds: {{ (index . 0).Values.deadlineSeconds }}
podFailurePolicy:
  rules:
    - action: FailJob # evicted, preempted or drained: no verdict, or an inconclusive one
      onPodConditions: [{type: DisruptionTarget, status: "True"}]
    - action: FailJob # its message names the exit code
      onExitCodes: {containerName: {{ index . 1 }}, operator: NotIn, values: [0]}
{{- end }}

{{- define "mockbot.scenario" -}}
{{ .Values.scenarioFile | empty | ternary .Values.scenario "/etc/mockbot/scenario.yaml" }}
{{- end }}

{{- define "mockbot.token" -}}
- {name: MOCKBOT_TOKEN, valueFrom: {secretKeyRef: {name: {{ include "mockbot.name" . }}-token, key: token}}}
{{- end }}
