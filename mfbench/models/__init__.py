"""The causal audio-video transformer and its parts."""
