"""What each command does, as a user sees it: the real command line, real processes."""
