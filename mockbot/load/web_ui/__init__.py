"""AN OUTAGE TO BE WATCHED in Locust's web UI: banner, tab, bands over its charts, and a page of its own."""
