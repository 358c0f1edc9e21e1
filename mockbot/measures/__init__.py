"""WHAT CAN BE MEASURED: names, units, directions, thresholds and the values that a measure may have. Pure."""
