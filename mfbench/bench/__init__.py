"""Plan, stages, store, executors and records: from an experiment file to one record per cell."""
