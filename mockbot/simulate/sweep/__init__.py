"""A grid of simulated runs over one or two axes, and its map."""
