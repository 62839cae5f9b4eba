"""The commands of the command line, one file a group; each imports what it runs when it runs."""
