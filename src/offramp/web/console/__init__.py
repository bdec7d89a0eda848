"""The operators' console: pages from the server, for people of the vendor who are signed in."""
