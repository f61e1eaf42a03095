"""People who are here twice: who may be one, two records made one, and apart again."""
