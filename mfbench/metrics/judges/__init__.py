"""Learned judges of lip sync, fitted on real training clips only and never used as a loss."""
