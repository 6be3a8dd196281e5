"""The host's side of the agent in hooks/: what it is asked to watch, how it comes into the app, what it sends."""
