"""Coordination: what all runs on a machine, or on several machines, share: the budget of requests and the locks."""
