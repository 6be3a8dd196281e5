"""Pure functions: no device, database, network, clock or file."""
