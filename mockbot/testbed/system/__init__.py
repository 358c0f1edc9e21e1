"""THE SYSTEM UNDER TEST: the user's own application or gateway, described by a file, started, asked, and ended."""
