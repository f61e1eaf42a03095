"""Campaigns with their demands, and structure tests: a frozen list, and who on it took part."""
