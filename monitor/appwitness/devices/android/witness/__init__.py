"""What Android itself records about an app while it runs."""
