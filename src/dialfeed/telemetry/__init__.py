"""What is told of a run to whoever watches machines: figures, traces and logs, all from the run's events."""
