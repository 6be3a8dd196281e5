"""What can be done with appwitness: the command line, the pages, the pytest plugin and programs call it."""
