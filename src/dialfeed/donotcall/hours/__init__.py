"""Calling hours: where a contact may be, which laws hold there, and when it may be called on a day."""
