"""The files that do-not-call lists come in: from bytes to columns of numbers, with every line accounted for."""
