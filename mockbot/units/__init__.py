"""DURATIONS, SHARES, RATES: read, checked and written exactly; and formatted for people. Pure, a leaf."""
