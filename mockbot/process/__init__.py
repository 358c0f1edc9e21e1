"""NOTHING OUTLIVES ITS PARENT: child processes, lifelines, process groups, token files, signals."""
