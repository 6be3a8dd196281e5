"""What the device's screen shows, and the player who acts as its user."""
