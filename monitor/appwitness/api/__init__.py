"""Everything that appwitness can do, for the command line, the web pages, the pytest plugin and other programs."""
