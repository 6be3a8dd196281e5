"""The data that grows, in YAML files, and the models that they are parsed into."""
