"""Taking back: a document is proved, held against the database, and loaded again."""
