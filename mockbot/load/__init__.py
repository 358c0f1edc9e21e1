"""THE CROWD: Locust plays the scenario's groups and records what they lived through (the only importer of locust)."""
