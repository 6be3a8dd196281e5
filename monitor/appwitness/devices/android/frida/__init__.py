"""How Frida comes onto a device and into the app."""
