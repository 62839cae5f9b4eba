"""What a run remembers, in its folder: the ledger of batches (SQLite) and the stage of prepared contacts (Arrow)."""
