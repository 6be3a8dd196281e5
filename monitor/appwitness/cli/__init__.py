"""The command line: one thin function for each verb, imported when it is called."""
