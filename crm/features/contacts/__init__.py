"""People: the list, one person's page, and the forms that change each part of it."""
