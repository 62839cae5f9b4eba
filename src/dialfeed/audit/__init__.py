"""The evidence of a run: a chain of events, each holding the hash of the one before."""
