"""timbot."""
