"""Programs that run in child processes of the tests: they may import locust, the tests may not."""
