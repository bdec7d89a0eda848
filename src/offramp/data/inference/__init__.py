"""A data map proposed for a database that nobody has mapped, with a reason on every line."""
