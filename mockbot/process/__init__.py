"""Child processes that end with their parent: lifelines, process groups, token files, signals."""
