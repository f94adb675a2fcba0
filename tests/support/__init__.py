"""Code shared by tests of several kinds."""
