"""What is answered over HTTP. It translates, like the command line: the engine decides and does."""
