"""Rectified-flow algebra, time grids, samplers, guidance and the one autoregressive rollout."""
