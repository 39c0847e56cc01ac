"""Any folder of films scored: read one at a time in worker processes, gathered, written as tables."""
