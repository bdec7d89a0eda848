"""What should happen when: the whole calendar of leaving, as pure functions over values."""
