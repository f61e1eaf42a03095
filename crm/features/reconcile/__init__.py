"""The union's own membership list, held against what is known here: who joined, left, moved."""
