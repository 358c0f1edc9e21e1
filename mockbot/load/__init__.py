"""Locust runs the scenario's groups of users and records what they observe (the only importer of Locust)."""
