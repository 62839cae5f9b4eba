"""Fuzzing of the readers: mutated files in, rows or a refusal with a reason out, and nothing else."""
