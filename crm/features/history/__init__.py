"""What changed, who changed it, what it was before; undoing the last change; the audit trail."""
