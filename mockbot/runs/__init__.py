"""WHAT A RUN LEAVES: its folder (one run's only), the journals in it, and the judging of a folder."""
