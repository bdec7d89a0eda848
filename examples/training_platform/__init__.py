"""A training platform for companies: licence pools, seats, courses, certificates."""
