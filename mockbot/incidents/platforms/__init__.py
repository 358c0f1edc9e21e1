"""The platforms that can be read, one file each; `all.py` has the tuple of them."""
