"""Tags and fields that a branch makes for itself, and the answers about people and workplaces."""
