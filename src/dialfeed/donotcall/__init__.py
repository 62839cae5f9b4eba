"""Do-not-call: the lists, what they say of a number, when a contact may be called, and the evidence."""
