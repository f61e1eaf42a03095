"""Drafts of the notices and letters of a ballot, with what the law asks each to say."""
