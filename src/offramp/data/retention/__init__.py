"""What comes after: rows that stay until their own end, and rows that come late."""
