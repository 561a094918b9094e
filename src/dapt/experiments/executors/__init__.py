"""How several runs are carried out."""
