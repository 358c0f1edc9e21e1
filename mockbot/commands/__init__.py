"""One module for each command: options in, exit code out. May import every package."""
