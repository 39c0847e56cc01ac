"""Training through mmengine's Runner: optimisers, alternation, EMA, checkpoints, exact resume."""
