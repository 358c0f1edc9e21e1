"""A real service behind the real proxy inside a pytest process. Imported only when a test uses it."""
