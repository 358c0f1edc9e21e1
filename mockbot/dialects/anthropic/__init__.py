"""Anthropic's API: messages, and the bodies of its errors."""
