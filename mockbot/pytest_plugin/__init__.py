"""A pytest plugin: the fixture `mockbot`, a real service behind the real proxy in the test's own process.

`hooks` is pytest's entry point and stays light; everything else is imported when a test uses the fixture.
"""
