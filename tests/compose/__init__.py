"""docker-compose.yml: valid, started as plain processes, and started for real where a Docker engine can be had."""
