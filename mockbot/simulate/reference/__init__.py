"""The exact simulator: an event queue, the service's own capacity model and the clients' own policies."""
