"""Touches the world: device, proxy, agent."""
