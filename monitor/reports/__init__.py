"""Renders a report: FORMATS and `render`."""
