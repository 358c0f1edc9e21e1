"""The limit of many users: masses instead of people on a grid of time, at a cost that does not grow with the crowd."""
