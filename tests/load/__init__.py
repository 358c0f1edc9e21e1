"""The crowd, seen from outside: Locust runs in child processes only, because importing it patches the process."""
