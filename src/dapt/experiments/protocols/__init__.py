"""The protocols of the field, one file each."""
