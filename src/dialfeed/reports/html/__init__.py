"""The report of a run as one self-contained HTML file: pure functions from what a run has told to a page."""
