"""How messages are written: the vendor's brand, the frame, the languages, and what may be said."""
