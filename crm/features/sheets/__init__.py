"""Talk sheets and sign-up sheets on paper."""
