"""WHAT WAS SEEN: journals in, measures and a three-valued verdict out. Pure."""
