"""One wire dialect, one object, one file."""
