"""Measurements: ratios within one run, never an assertion on a clock."""
