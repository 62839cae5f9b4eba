"""What becomes of runs once they are there: seen, followed, compared, reported on, and in the end removed."""
