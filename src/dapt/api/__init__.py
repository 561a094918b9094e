"""The public Python API, one room above everything but the command line; ``import dapt`` names what it offers."""
