"""How it gets on disk: through shared memory to a writer, a process that starts with the standard library alone."""
