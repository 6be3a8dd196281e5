"""The site: `make docs`."""
