"""The Helm chart: rendered, held to Kubernetes' published schemas, and its commands started as plain processes."""
