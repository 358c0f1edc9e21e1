"""WHAT SHOULD HAPPEN: a scenario file in, a Timeline of Conditions out. Pure."""
