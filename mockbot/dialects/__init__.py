"""The APIs of the providers, both sides of the wire: one folder each. `FAMILIES` lists them."""
