"""What each command does: options in, exit code out. The only box that knows every other."""
