"""THE WIRE THAT FAILS: a TCP proxy with Toxiproxy's control API and toxics."""
