"""WHAT CAN BE MEASURED: one module per family, a table of them all; values, thresholds and their texts. Pure."""
