"""Tests of `mockbot.faults`."""
