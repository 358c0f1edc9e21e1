"""A scenario's run in Locust's web UI: a banner, a tab, bands over its charts, and a page of its own."""
