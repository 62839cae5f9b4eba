"""A run as a thing: what it is to do, how it begins, where it lies, how it ends, and what is told of it."""
