"""One folder for each thing that people do. Features never import each other."""
