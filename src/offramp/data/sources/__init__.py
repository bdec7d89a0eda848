"""The kinds of store that can hold an organization's data; one module each."""
