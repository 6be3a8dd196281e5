"""Pure judgement: no device, database, network, clock, file."""
