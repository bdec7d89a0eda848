"""YAML and CSV at the rim: text becomes core and data values once, errors name file and line."""
