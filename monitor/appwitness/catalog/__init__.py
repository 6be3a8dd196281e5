"""Data that grows, as YAML files, and the models that these are read into."""
