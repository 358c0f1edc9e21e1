"""Start service and proxy as child processes, and drive them along a timeline."""
