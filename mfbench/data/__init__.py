"""Worlds: data sets with ground truth, conditions and media files."""
