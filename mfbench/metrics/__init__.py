"""Measurement: readers of pixels and sound, what they observe, and one class per metric."""
