"""Helpers shared by all subpackages; not part of the public interface."""
