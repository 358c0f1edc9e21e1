"""The presets beside the real clients, each in a process of its own, on the same scripts over real sockets."""
