"""Tests mirror the tree; a package, so that no other distribution's folder of this name is found first."""
