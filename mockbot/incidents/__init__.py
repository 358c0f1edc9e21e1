"""Incidents of the real world: what a status page or a metric says, read and staged as a scenario."""
