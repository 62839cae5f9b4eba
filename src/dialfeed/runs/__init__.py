"""What becomes of runs once they are there: gone on with, seen, followed, compared, asked about, and removed."""
