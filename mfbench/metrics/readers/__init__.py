"""Judges fitted in closed form on the real training split; nothing learned by gradient or downloaded."""
