"""Installs Frida on a device and injects it into the app."""
