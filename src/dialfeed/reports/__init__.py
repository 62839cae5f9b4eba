"""What a run leaves for people and machines: row files, the summary, and its text."""
