"""The load package: Locust runs in child processes only, because importing it patches the process."""
