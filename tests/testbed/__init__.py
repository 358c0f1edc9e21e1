"""Tests of mockbot.testbed."""
