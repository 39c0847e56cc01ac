"""What each kind of stage does: one module per kind, each with `VERSION` and `run(context)`."""
