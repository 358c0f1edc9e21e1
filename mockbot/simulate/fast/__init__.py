"""The fast engine: the reference's model as machine code, for a million users (extra `fast`). Exact."""
