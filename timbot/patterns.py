"""Patterns that run on what people write: bounded text, and none that may run away."""
