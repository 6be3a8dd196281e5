"""What the screen of a device shows, and who plays its user."""
