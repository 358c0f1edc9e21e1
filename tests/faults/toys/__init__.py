"""Faults that exist only in tests, and what must hold of each once it is registered: see `test_toys.py`."""
