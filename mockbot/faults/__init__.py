"""WHAT CAN GO WRONG: every kind of fault and its values. Pure."""
