"""Rival methods, one small file each; an experiment names this package in `custom_imports`."""
