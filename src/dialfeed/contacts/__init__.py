"""What a contact is and what makes it fit to load. Pure: columns in, columns out; no file, no socket, no clock."""
