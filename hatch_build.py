"""Builds what a wheel carries and a checkout needs: the agent (hooks/) and the lab device's classes (monitor/lab/java)."""
