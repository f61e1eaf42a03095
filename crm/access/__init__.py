"""Who may see and do what: permissions, scopes, the audit trail. Knows nothing of Flask."""
