"""The stations of the corridor (`pipeline.py`), from reading a source to the record of what became of each row."""
