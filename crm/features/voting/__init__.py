"""The list of those who may vote in a ballot, and bringing out the vote."""
