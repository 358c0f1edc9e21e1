"""Machines of a network on this one: Linux network namespaces, with a wire between them that takes its time."""
