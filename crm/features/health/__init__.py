"""Whether the server lives and can take writes; tells strangers nothing more."""
