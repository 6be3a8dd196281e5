"""The host side of the agent in hooks/: its plan, its injection into the app, and the messages it sends."""
