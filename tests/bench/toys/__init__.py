"""A world, methods, metrics and stage bodies that need no torch and can fail in every way."""
