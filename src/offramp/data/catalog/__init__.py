"""What a database declares now: tables, keys and references, their surroundings, our rights."""
