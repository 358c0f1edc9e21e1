"""HOW A PROVIDER SPEAKS: one folder per provider API, both sides of the wire. `FAMILIES` lists them."""
