"""What a person types: a command is parsed, answered by one call below, and printed.

Nothing is decided here. One module per group of commands; `output` alone writes to the terminal.
"""
